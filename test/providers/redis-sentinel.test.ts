import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers')['redis-sentinel']

describe.skipIf('unavailable' in server)('redis-sentinel', () => {
  if ('unavailable' in server) return
  const subject = redisSubject('redis-sentinel', server.url, 'redis+sentinel://127.0.0.1:1/mymaster')
  conformance({ describe, it, beforeAll, afterAll }, subject)
})
