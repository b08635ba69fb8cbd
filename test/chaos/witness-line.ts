/** An answer of a provider to one request, as a node saw it. */
export interface Answered {
  readonly job: string
  readonly owner: string
  /** The tick asked for. */
  readonly tick: number
  /** Given with a grant: its fencing token, and until when the lease may be relied on (monotonic). */
  readonly token?: number
  readonly until?: number
  /** Given with a refusal. */
  readonly reason?: string
  /** Given when this request failed alone: `'undecided'` when a stranger had locked the record, so the store did nothing. */
  readonly failed?: 'undecided' | 'unknown'
}

/** What a line tells. */
export type Witnessed =
  /** The process is up; `wall` is what its own wall clock shows. */
  | { readonly what: 'up'; readonly wall: number; readonly pid: number }
  /** Its scheduler has started. */
  | { readonly what: 'ready' }
  /** The scheduler begins to stop: from here on no tick is owed by this node. */
  | { readonly what: 'stopping' }
  /** About to ask the provider. */
  | {
      readonly what: 'asked'
      readonly call: number
      readonly asks: readonly Pick<Answered, 'job' | 'owner' | 'tick'>[]
    }
  | { readonly what: 'answered'; readonly call: number; readonly answers: readonly Answered[] }
  | { readonly what: 'failed'; readonly call: number; readonly error: string }
  /** The job's function was called; its lease may be relied on until `until` (monotonic). */
  | (RunOf & { readonly what: 'begin'; readonly kind: string; readonly until: number })
  | (RunOf & { readonly what: 'end' })
  /** The transaction that completed the run was committed. */
  | (RunOf & { readonly what: 'completed' })
  /** The scheduler told that the lease was lost. */
  | (RunOf & { readonly what: 'lost' })
  /** The store granted a longer lease to this owner. */
  | {
      readonly what: 'extended'
      readonly job: string
      readonly owner: string
      readonly token: number
      readonly until: number
    }
  /** About to give a lease back; `tick` when it is to be marked as done. */
  | { readonly what: 'releasing'; readonly job: string; readonly owner: string; readonly tick?: number }
  | { readonly what: 'released'; readonly job: string; readonly owner: string; readonly freed: boolean }
  | {
      readonly what: 'skipped' | 'missed'
      readonly job: string
      readonly tick: number
      readonly kind: string
      readonly reason: string
    }
  /** Since `from` this process did not get to run for longer than it should have. */
  | { readonly what: 'stalled'; readonly from: number }
  /** Told by who directs the chaos: a fault begins, and is over. `scope` is the label of the node it concerns, or `'store'` for all. */
  | { readonly what: 'fault'; readonly id: number; readonly kind: string; readonly scope: string }
  | { readonly what: 'healed'; readonly id: number }
  /** Told by who directs the chaos: a life of a node is over. */
  | { readonly what: 'exited'; readonly who: string; readonly how: string }
  /** What the run was judged by, for who judges it once more. */
  | { readonly what: 'judged'; readonly epoch: number; readonly from: number; readonly to: number }

interface RunOf {
  readonly job: string
  readonly tick: number
  readonly token: number
}

/** One line of a witness file. */
export type WitnessLine = Witnessed & {
  /** Ms on the monotonic clock of the machine, which all its processes share and nobody fakes. */
  readonly at: number
  /** Which life of which node: `node-2.1` is the second life of node-2. `control` for who directs the chaos. */
  readonly life: string
}

/** The node of a life. */
export const nodeOf = (life: string): string => life.slice(0, life.lastIndexOf('.'))
