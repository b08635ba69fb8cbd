import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers').redis

describe.skipIf('unavailable' in server)('redis', () => {
  if ('unavailable' in server) return
  const subject = redisSubject('redis', server.url, 'redis://127.0.0.1:1')
  conformance({ describe, it, beforeAll, afterAll }, subject)
})
