import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { mysqlSubject } from './mysql-harness.ts'

const server = inject('servers').mariadb

describe.skipIf('unavailable' in server)('mariadb', () => {
  if ('unavailable' in server) return
  conformance({ describe, it, beforeAll, afterAll }, mysqlSubject('mariadb', server.url))
})
