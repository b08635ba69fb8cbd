import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { httpSubject } from './http-subject.ts'
import { memorySubject } from './memory-subject.ts'
import { postgresSubject } from './postgres-subject.ts'

conformance({ describe, it, beforeAll, afterAll }, httpSubject(memorySubject(), 1))

const server = inject('servers').postgres

describe.skipIf('unavailable' in server)('http over postgres', () => {
  if ('unavailable' in server) return
  const subject = postgresSubject('postgres', server.url, 'ticklock_http')
  conformance({ describe, it, beforeAll, afterAll }, httpSubject(subject, 2))
})
