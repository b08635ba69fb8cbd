import type { LockProvider } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'

export type StoreKind = 'postgres' | 'mysql' | 'mongodb' | 'redis' | 'sqlite' | 'memory'

/** A store of one kind with the provider that keeps locks in it, as a model: what it documents, and nothing of how it is made. */
export interface SimulatedStore {
  readonly kind: StoreKind
  /** What a node uses. All nodes share it, as they share the store. */
  readonly provider: LockProvider
  /** The server crashes and starts again: what it had not made durable is gone, calls under way fail. */
  restart(): void
  /**
   * A replica takes the server's place that had not got the writes of the last `lostMs`. Where the store's documentation says that none
   * are lost, none are. Missing where there are no replicas.
   */
  failover?(lostMs: number): void
  /** Somebody changes the record by hand, if there is one. Missing where records are no rows or documents. */
  change?(name: string, change: (record: StoredLock, now: number) => StoredLock): void
  /** Somebody deletes the record by hand, or the store evicts it. */
  lose(name: string): void
}

/** What surrounds a simulated store. */
export interface StoreWorld {
  /** True time, in ms since the epoch, with fractions: each store makes its own clock's reading of it. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
  /**
   * Waited for wherever a call takes another round trip, or the store lets others come in between within one.
   * @default nobody comes in between
   */
  readonly between?: (() => Promise<void>) | undefined
  /** How far, in ms, the clock of a server that takes another's place may be off true time, either way. @default 0 */
  readonly clocksApart?: number | undefined
  /** Redis only: the masters of its cluster, each with slots of its own; 1 for a single server. @default 1 */
  readonly masters?: number | undefined
  /** Redis only: what it writes to disk, and when. @default 'everysec' */
  readonly persistence?: 'always' | 'everysec' | 'none' | undefined
}
