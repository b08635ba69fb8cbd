/** Faults of one node's process. */
export const PROCESS_FAULTS = ['node-killed', 'node-stopped', 'out-of-memory'] as const
/** Faults between one node and the store. */
export const NETWORK_FAULTS = [
  'cut',
  'refused',
  'delayed',
  'held',
  'requests-held',
  'replies-held',
  'black-hole',
  'requests-lost',
  'replies-lost',
  'full-pool',
] as const
/** Faults of the store's server, for all nodes. */
export const SERVER_FAULTS = ['store-killed', 'store-stopped'] as const
/** Faults of one job's record in the store, and of all of them. */
export const RECORD_FAULTS = ['row-locked', 'record-poisoned', 'table-locked'] as const
/** Faults of a store that is a file, for all nodes. */
export const FILE_FAULTS = ['file-locked', 'writer-killed'] as const

export type FaultKind =
  | (typeof PROCESS_FAULTS)[number]
  | (typeof NETWORK_FAULTS)[number]
  | (typeof SERVER_FAULTS)[number]
  | (typeof FILE_FAULTS)[number]
  | (typeof RECORD_FAULTS)[number]

/** Over as soon as they are done. */
export const INSTANT_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>(['cut', 'writer-killed'])

/** A fault as it is drawn from the seed. */
export interface Fault {
  /** Ms since the run began. */
  readonly at: number
  readonly kind: FaultKind
  /** The node it concerns, or would if it concerns one. */
  readonly node: number
  /** The job whose record it concerns, if it concerns one. */
  readonly job?: string
  /** How long it lasts, in ms. */
  readonly for: number
}
