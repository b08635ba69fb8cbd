/** The demo's jobs, the same on every node. */
export interface DemoJob {
  readonly name: string
  /** Ticks at whole multiples of this, in ms since the epoch. */
  readonly every: number
  /** How long a run takes, in ms. */
  readonly takes: number
  readonly lockAtMostFor: number
  readonly onCrash: 'skip' | 'rerun'
}

export const jobs: readonly DemoJob[] = [
  { name: 'heartbeat', every: 1_000, takes: 0, lockAtMostFor: 5_000, onCrash: 'skip' },
  { name: 'send-mail', every: 2_000, takes: 300, lockAtMostFor: 5_000, onCrash: 'skip' },
  { name: 'import', every: 4_000, takes: 1_000, lockAtMostFor: 1_500, onCrash: 'rerun' },
]
