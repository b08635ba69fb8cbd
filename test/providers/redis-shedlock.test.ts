import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { redisSubject } from './redis-subject.ts'

const server = inject('servers').redis
const cluster = inject('servers')['redis-cluster']

describe.skipIf('unavailable' in server)('redis, shared with ShedLock', () => {
  if ('unavailable' in server) return
  const prefix = `test-${randomUUID()}:default:`
  conformance(
    { describe, it, beforeAll, afterAll },
    redisSubject('redis-shedlock', server.url, 'redis://127.0.0.1:1', prefix, true),
  )
})

describe.skipIf('unavailable' in cluster)('redis-cluster, shared with ShedLock', () => {
  if ('unavailable' in cluster) return
  const prefix = `test-${randomUUID()}:default:`
  const subject = redisSubject('redis-cluster-shedlock', cluster.url, 'redis+cluster://127.0.0.1:1', prefix, true)
  conformance({ describe, it, beforeAll, afterAll }, subject)
})
