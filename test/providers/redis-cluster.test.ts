import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers')['redis-cluster']

describe.skipIf('unavailable' in server)('redis-cluster', () => {
  if ('unavailable' in server) return
  const subject = redisSubject('redis-cluster', server.url, 'redis+cluster://127.0.0.1:1')
  conformance({ describe, it, beforeAll, afterAll }, subject)
})
