import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { kubernetesSubject } from './kubernetes-subject.ts'

const { kubernetes } = inject('servers')
const url = 'url' in kubernetes ? kubernetes.url : undefined

describe.skipIf(!url)('kubernetes', () => {
  conformance({ describe, it, beforeAll, afterAll }, kubernetesSubject(url ?? ''))
})
