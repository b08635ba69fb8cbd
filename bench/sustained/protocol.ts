/** When a node's runs count, in ms since the epoch, and how long a minute is. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly minute: number
}

/** What happened on a node within a minute, or what there was of it. */
export interface Minute {
  /** The number of runs by their delay: the ms from the tick to the start of the run. */
  readonly late: readonly (readonly [ms: number, runs: number])[]
  /** CPU time of the process, in ms. */
  readonly cpu: number
  /** Resident memory at the end, in bytes. */
  readonly memory: number
}

/** What a node reports when it is asked to stop. */
export interface NodeReport {
  readonly minutes: readonly Minute[]
  /** By tick: a bit for each job that ran, in base64. */
  readonly ran: readonly (readonly [tick: number, jobs: string])[]
  /** Runs of a job and tick that this node had run before. */
  readonly again: number
}
