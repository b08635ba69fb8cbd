import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { postgresSubject } from './postgres-subject.ts'

const server = inject('servers').postgres

describe.skipIf('unavailable' in server)('postgres', () => {
  if ('unavailable' in server) return
  conformance({ describe, it, beforeAll, afterAll }, postgresSubject('postgres', server.url, 'ticklock_conformance'))
})
