import type { JobOptions } from '../../src/index.ts'
import type { Poison, StoreKind } from './stores/index.ts'

/** A fault, or something that people do, as an entry of a schedule that can be shortened. `at` and `for` are ms of true time. */
export type Fault = NodeFault | StoreFault | JobFault

export type NodeFault =
  /**
   * The process stands still, its machine sleeps and the monotonic clock stands still, the process is killed and started again, drains
   * and is started again, or its packets vanish.
   */
  | {
      readonly at: number
      readonly kind: 'pause' | 'suspend' | 'crash' | 'stop' | 'cut'
      readonly node: string
      readonly for: number
    }
  /** Somebody sets the machine's wall clock. */
  | { readonly at: number; readonly kind: 'jump'; readonly node: string; readonly by: number }
  /** Somebody calls `trigger`. */
  | { readonly at: number; readonly kind: 'trigger'; readonly node: string; readonly job: string }

export type StoreFault =
  /** It refuses connections, or takes up to so many ms more for each answer, for a while. */
  | { readonly at: number; readonly kind: 'store-down'; readonly for: number }
  | { readonly at: number; readonly kind: 'store-slow'; readonly for: number; readonly by: number }
  /** It keeps what it has acknowledged; what is under way fails. */
  | { readonly at: number; readonly kind: 'store-restart' }
  /** A replica takes over that lacks the last `lost` ms. Only for stores that document it. */
  | { readonly at: number; readonly kind: 'store-failover'; readonly lost: number }

export type JobFault =
  | { readonly at: number; readonly kind: 'force-release'; readonly job: string }
  /** The transaction of a stranger locks the job's record for a while. */
  | { readonly at: number; readonly kind: 'record-locked'; readonly job: string; readonly for: number }
  /** A value of the job's record becomes one that no lock can have, until somebody resets it. */
  | {
      readonly at: number
      readonly kind: 'record-poisoned'
      readonly job: string
      readonly for: number
      readonly value: Poison
    }
  /** Each node, one after another, removes the job and registers it anew with these options. */
  | { readonly at: number; readonly kind: 'reload'; readonly job: string; readonly options: JobOptions }

export type RecordFault = Extract<Fault, { readonly kind: 'record-locked' | 'record-poisoned' }>

export interface SimulatedJob {
  readonly options: JobOptions
  /** How long a run takes at most, in ms; 0 for instant jobs. */
  readonly takes: number
  /** Its work ends when its signal aborts. */
  readonly obeys: boolean
  /** Its work throws now and then. */
  readonly fails: boolean
}

export interface SimulatedNode {
  readonly id: string
  /** In ms; what its wall clock is ahead at first. */
  readonly wallAhead: number
  /** How fast its clocks run: 1.0001 gains 100 ppm. */
  readonly speed: number
  /** Somebody listens to its events and throws at each. */
  readonly throws: boolean
}

/** How bad the network is. Each is the chance for one message. */
export interface Weather {
  readonly lostRequest: number
  readonly lostReply: number
  /** The reply, or the request, takes seconds. */
  readonly slow: number
}

/** All that a seed determines before the run begins. */
export interface Scenario {
  readonly seed: number
  /** Which store is simulated. */
  readonly store: StoreKind
  readonly start: number
  /** In ms of true time. */
  readonly length: number
  readonly nodes: readonly SimulatedNode[]
  readonly jobs: readonly SimulatedJob[]
  readonly faults: readonly Fault[]
  readonly weather: Weather
  /** The store tells some answers of a batch before the others. */
  readonly tellsEarly: boolean
  /** After so many ms the network is good, and no fault begins any more: all has to go on. */
  readonly calmAfter: number
}

/** How far clocks may be off from each other in speed, either way: 100 ppm, as cheap crystals are. */
export const MAX_DRIFT = 0.0001
