export { conformance } from './conformance.ts'
export { ManualClock, type ManualClockOptions } from './manual-clock.ts'
export type { TestRunner } from './runner.ts'
export type { ConformanceSubject, StoredRecord, WhyNot } from './subject.ts'
