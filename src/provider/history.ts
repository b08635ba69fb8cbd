/*
 * The optional part of a provider that keeps what became of ticks: who ran them, how long, how they ended, and why others were skipped or
 * missed. It decides nothing: locks and ticks go on as ever when it fails.
 */

/** What became of a tick, or of a trigger, on one node. */
export type HistoryOutcome =
  /** It runs, or did until its node vanished. */
  | 'running'
  | 'succeeded'
  | 'failed'
  /** The lock was lost while it ran. */
  | 'lost'
  | 'skipped'
  | 'missed'

export interface HistoryEntry {
  /** Unique. The entry of a run may be written twice by one id: when it begins, and when it has ended. */
  readonly id: string
  readonly job: string
  /** The node's label, for people: at most 200 characters. */
  readonly node: string
  readonly kind: 'schedule' | 'catch-up' | 'rerun' | 'trigger'
  readonly outcome: HistoryOutcome
  /** The tick's nominal time, ms since the epoch; for a trigger, when it was called. */
  readonly scheduledAt: number
  /** When the run began, or the skip or miss was told: ms since the epoch, by the store's clock as the node knows it. */
  readonly at: number
  /** How long it ran, in ms. Only for a run that has ended. */
  readonly duration?: number | undefined
  readonly fencingToken?: number | undefined
  /** Why it was skipped or missed. At most 40 characters. */
  readonly reason?: string | undefined
  /** A short string, at most 500 characters. */
  readonly error?: string | undefined
}

/** An entry as it was kept. */
export interface RecordedEntry extends HistoryEntry {
  /** When it was last written, by the store's clock, ms since the epoch. */
  readonly changedAt: number
}

/** A node that keeps history. */
export interface NodeState {
  readonly label: string
  /** When its recorder began, ms since the epoch. */
  readonly startedAt: number
  /** By how many ms its clock is ahead of the store's (negative: behind). */
  readonly skew: number
  /** How many runs are under way on it. */
  readonly running: number
  /** Whether it said that it ends. A node that crashed never does. */
  readonly stopped: boolean
}

export interface RecordedNode extends NodeState {
  /** When it last wrote this, by the store's clock, ms since the epoch. */
  readonly seenAt: number
}

/** Which entries to read. All that are given must hold. */
export interface HistoryQuery {
  readonly job?: string | undefined
  /** `at` is not before this. */
  readonly from?: number | undefined
  /** `at` is before this. */
  readonly to?: number | undefined
  /** Written at or after this time by the store's clock. */
  readonly changedSince?: number | undefined
  /** Only those with this outcome. */
  readonly outcome?: HistoryOutcome | undefined
  /** The most entries to answer, 1 to 10,000: the newest. */
  readonly limit: number
}

/** Keeps history in the store of a provider. */
export interface RunHistory {
  /**
   * Writes entries, each id at most once in a batch, and the state of the node that writes. An entry that has ended is never overwritten by one
   * that is `'running'`, so a batch may be sent again, and come late.
   */
  write(entries: readonly HistoryEntry[], node?: NodeState): Promise<void>
  /** The entries, newest first by `at`. */
  read(query: HistoryQuery): Promise<readonly RecordedEntry[]>
  /** The last `count` entries of each of these jobs but for those that were skipped, newest first for each job. */
  latest(jobs: readonly string[], count: number): Promise<readonly RecordedEntry[]>
  /** All nodes, in order of their labels. */
  nodes(): Promise<readonly RecordedNode[]>
  /** Drops entries written, and nodes seen, more than so many ms ago, and the oldest beyond `most`. Answers how many entries. */
  trim(bounds: { readonly olderThanMs: number; readonly most: number }): Promise<number>
  /** Makes what the store needs (tables, indexes). Idempotent; concurrent callers are fine. */
  setup?(): Promise<void>
}
