import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { memorySubject } from './memory-subject.ts'

conformance({ describe, it, beforeAll, afterAll }, memorySubject())
