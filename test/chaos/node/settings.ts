import type { BreakName } from './breaks.ts'

/** What a node is started with. */
export interface NodeSettings {
  /** The name of this life, see WitnessLine. */
  readonly life: string
  /** Where the witness files are. */
  readonly folder: string
  /** The kind of store, and its URL as this node reaches it. */
  readonly kind: string
  readonly url: string
  /** Gives the provider a client of the node's own, whose pool can be filled, in place of the URL. */
  readonly ownClient: boolean
  /** The machine's wall clock less its monotonic clock: a store without a clock of its own gets its time from here. */
  readonly epoch: number
  /** Breaks the provider on purpose. */
  readonly broken?: BreakName
}

/** What a node is told to do. */
export interface Order {
  readonly order: 'stop' | 'fill-pool' | 'eat-memory'
  readonly ms?: number
}

/** What a node's clocks show, told when it is ready. */
export interface ClockReading {
  readonly wall: number
  readonly monotonic: number
}
