import type { ConformanceSubject, WhyNot } from './subject.ts'
import type { TestBed } from './test-bed.ts'

/** One thing that a provider must do, under a name that reads as a sentence. */
export type Case = (bench: TestBed) => Promise<void>

export interface CaseGroup {
  readonly title: string
  readonly cases: Readonly<Record<string, Case>>
  /** Why this group can't be judged on a subject; then that is reported in place of its cases. */
  readonly leftOut?: (subject: ConformanceSubject) => WhyNot | undefined
}
