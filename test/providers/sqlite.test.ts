import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { sqliteSubject } from './sqlite-subject.ts'

for (const kind of ['strict', 'loose'] as const) {
  conformance({ describe, it, beforeAll, afterAll }, sqliteSubject(kind))
}
