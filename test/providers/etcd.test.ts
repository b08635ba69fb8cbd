import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { etcdSubject } from './etcd-subject.ts'

const { etcd } = inject('servers')
const url = 'url' in etcd ? etcd.url : undefined

describe.skipIf(!url)('etcd', () => {
  conformance({ describe, it, beforeAll, afterAll }, etcdSubject(url ?? ''))
})
