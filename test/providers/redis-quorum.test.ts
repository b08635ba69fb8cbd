import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { redisQuorumSubject } from './redis-quorum-subject.ts'

const server = inject('servers')['redis-quorum']

describe.skipIf('unavailable' in server)('redis-quorum', () => {
  if ('unavailable' in server) return
  conformance({ describe, it, beforeAll, afterAll }, redisQuorumSubject(server.url.split(',')))
})
