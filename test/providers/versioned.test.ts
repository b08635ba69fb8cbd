import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { lossySubject } from './versioned/faulty-subject.ts'
import { versionedSubject } from './versioned/versioned-subject.ts'

conformance({ describe, it, beforeAll, afterAll }, versionedSubject('a store that compares and sets'))
conformance({ describe, it, beforeAll, afterAll }, lossySubject())
