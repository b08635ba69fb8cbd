import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { dynamodbSubject } from './dynamodb-subject.ts'

const { dynamodb } = inject('servers')
const url = 'url' in dynamodb ? dynamodb.url : undefined

describe.skipIf(!url)('dynamodb', () => {
  conformance({ describe, it, beforeAll, afterAll }, dynamodbSubject(url ?? ''))
})
