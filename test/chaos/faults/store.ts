import type { FaultKind } from './fault.ts'

/** A store that chaos may be done to. */
export interface StoreUnderChaos {
  /** The provider's kind, see openStore. */
  readonly kind: string
  readonly url: string
  /** What it says that it is. */
  readonly version: string
  /** False for a file: then nothing is between it and the nodes. */
  readonly port: number | undefined
  /** The faults it can have. Each begins one that is to last so many ms, and answers what ends it. */
  readonly faults: { readonly [Kind in FaultKind]?: (ms: number, job: string) => Promise<() => unknown> }
  stop(): Promise<void>
}
