import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { mongodbSubject } from './mongodb-subject.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('mongodb', () => {
  if ('unavailable' in server) return
  conformance({ describe, it, beforeAll, afterAll }, mongodbSubject(server.url))
})
