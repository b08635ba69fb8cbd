import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { natsSubject } from './nats-subject.ts'

const { nats } = inject('servers')
const url = 'url' in nats ? nats.url : undefined

describe.skipIf(!url)('nats', () => {
  conformance({ describe, it, beforeAll, afterAll }, natsSubject(url ?? ''))
})
