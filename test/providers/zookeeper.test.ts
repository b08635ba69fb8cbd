import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { zookeeperSubject } from './zookeeper-subject.ts'

const { zookeeper } = inject('servers')
const url = 'url' in zookeeper ? zookeeper.url : undefined

describe.skipIf(!url)('zookeeper', () => {
  conformance({ describe, it, beforeAll, afterAll }, zookeeperSubject(url ?? ''))
})
