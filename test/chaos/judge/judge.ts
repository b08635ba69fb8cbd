import type { WitnessLine } from '../witness-line.ts'
import { judgeFencing } from './fencing.ts'
import { judgeHolders } from './holders.ts'
import { judgeLedger } from './ledger.ts'
import { judgeLiveness } from './liveness.ts'
import { judgeLoss } from './loss.ts'
import { judgeOnce } from './once.ts'
import { judgeParticipation } from './participation.ts'
import { judgeProcesses } from './processes.ts'
import { judgePunctuality } from './punctuality.ts'
import { readHistory } from './read-history.ts'
import { judgeReruns } from './reruns.ts'

/** A job as the judge knows it: its ticks by arithmetic, not by the scheduler. Lengths in ms. */
export interface JudgedJob {
  readonly name: string
  /** Ticks at whole multiples of this since the epoch. */
  readonly interval: number
  readonly lockAtMostFor: number
  readonly lockAtLeastFor: number
  readonly graceFor: number
  readonly onCrash: 'skip' | 'rerun'
  readonly catchesUp: boolean
}

/** What is judged. */
export interface Case {
  readonly lines: readonly WitnessLine[]
  readonly jobs: readonly JudgedJob[]
  /** The store's clock less the monotonic clock. */
  readonly epoch: number
  /** Ticks are due from here to there (monotonic). */
  readonly from: number
  readonly to: number
  /** How long after a fault a node and its driver may take to be well again. */
  readonly recovery: number
  /** The ticks in the ledger, where the store has one. */
  readonly ledger?: readonly number[] | undefined
}

export type Rule =
  | 'once per tick'
  | 'one holder'
  | 'fencing'
  | 'lost is known'
  /** An effect in the ledger took place twice, or was confirmed and is not there. */
  | 'exactly once'
  /** A tick that a node could have run did not run. */
  | 'liveness'
  /** A tick whose node crashed was not taken over. */
  | 'rerun'
  /** A node that was fit did not ask, or was not answered, though another may have run the tick. */
  | 'node part'
  | 'on time'
  | 'process'

export interface Violation {
  readonly rule: Rule
  readonly what: string
}

export interface Verdict {
  readonly due: number
  readonly run: number
  /** Ticks that were begun again after a crash. */
  readonly rerun: number
  readonly runs: number
  /** Ticks that nobody ran, by what excuses them. */
  readonly excused: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
}

/** Judges what the witness tells. Pure: the same lines give the same verdict. */
export function judge(judged: Case): Verdict {
  const history = readHistory(judged.lines)
  const violations: Violation[] = []
  const violate = (rule: Rule, what: string): void => void violations.push({ rule, what })
  const rerun = judgeOnce(history, judged.jobs, violate)
  judgeHolders(history, violate)
  judgeFencing(history, violate)
  judgeLoss(history, violate)
  judgeProcesses(history, violate)
  judgePunctuality(history, judged, violate)
  judgeParticipation(history, judged, violate)
  judgeReruns(history, judged, violate)
  if (judged.ledger) judgeLedger(judged.lines, judged.ledger, violate)
  const { due, run, excused } = judgeLiveness(history, judged, violate)
  return { due, run, rerun, runs: history.runs.length, excused, violations }
}

export type Violate = (rule: Rule, what: string) => void
