import type { Answered } from '../witness-line.ts'

/** One life of a node's process. Times are monotonic, in ms. */
export interface Life {
  readonly life: string
  readonly node: string
  readyAt: number
  /** When it began to stop, or was over. */
  until: number
  how: string | undefined
  readonly stalls: { readonly from: number; readonly until: number }[]
}

/** One request for a tick, by one call of the provider. */
export interface Ask {
  readonly job: string
  readonly tick: number
  readonly owner: string
  readonly life: string
  readonly sentAt: number
  answeredAt: number | undefined
  answer: Answered | undefined
  /** It failed alone, and the store decided nothing. */
  undecided: boolean
}

/** What a node was granted. */
export interface Grant {
  readonly job: string
  readonly tick: number
  readonly owner: string
  readonly life: string
  readonly token: number
  /** When this owner first asked, and when it first knew of the grant. */
  readonly askedAt: number
  readonly knownAt: number
  /** Until when its owner may rely on it, and the latest moment at which the store can still have it. */
  until: number
  storeUntil: number
  readonly release: Release
}

/** What an owner did to give its lease back; it may do so before it knows whether there is one. */
export interface Release {
  /** When it first began to. */
  startedAt: number
  /** When it was told that the lock is free. */
  freedAt: number | undefined
  /** Whether the tick was to be marked as done. */
  marked: boolean
}

/** One call of a job's function. */
export interface RunOfTick {
  readonly job: string
  readonly tick: number
  readonly token: number
  readonly life: string
  readonly kind: string
  readonly begunAt: number
  endedAt: number | undefined
  lostAt: number | undefined
}

export interface FaultTime {
  readonly kind: string
  readonly scope: string
  readonly from: number
  until: number
}

/** What the witness tells, put together. */
export interface History {
  readonly lives: ReadonlyMap<string, Life>
  readonly asks: readonly Ask[]
  readonly grants: readonly Grant[]
  readonly runs: readonly RunOfTick[]
  readonly faults: readonly FaultTime[]
  readonly skips: ReadonlySet<string>
  /** The asks of one life for one tick, in order. */
  asksOf(life: string, job: string, tick: number): readonly Ask[]
}

export const skipKey = (life: string, job: string, tick: number, reason: string): string =>
  `${life} ${job} ${tick} ${reason}`
