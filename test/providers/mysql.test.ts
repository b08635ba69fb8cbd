import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { mysqlSubject } from './mysql-harness.ts'

const server = inject('servers').mysql

describe.skipIf('unavailable' in server)('mysql', () => {
  if ('unavailable' in server) return
  conformance({ describe, it, beforeAll, afterAll }, mysqlSubject('mysql', server.url))
})
