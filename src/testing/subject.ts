import type { LockProvider, LockRecord } from '../provider/contract.ts'

/** What the store holds for a name, as its own client reads it; times in ms since the epoch. */
export type StoredRecord = Omit<LockRecord, 'name' | 'storeTime'>

/**
 * Why a store can't do something, such as `'ShedLock keeps no locks in this store'`. The suite reports it by
 * name among its cases, so that nothing is left out in silence.
 */
export type WhyNot = string

/**
 * One kind of store, as the conformance suite needs it. The suite reads all records and prunes them, so the table,
 * collection or prefix must be its own while it runs. No function is called before the suite's hooks and cases run.
 */
export interface ConformanceSubject {
  /** What the cases are listed under, such as `'postgres'`. */
  readonly name: string

  /**
   * `'store'`: the store has a clock of its own, so those of the clients decide nothing, and the suite shifts them to prove it.
   * `'machine'`: the provider decides by this machine's clock.
   */
  readonly clock: 'store' | 'machine'

  /**
   * How far the provider's reading of the clock that decides may be off, in ms, where the store shows it coarsely. @default 0
   */
  readonly clockError?: number

  /** Another node: a provider with a client of its own, on the one store. The suite sets it up, and closes it. */
  connect(): LockProvider | Promise<LockProvider>

  /** The clock that decides, in ms since the epoch, read by the store's own client (`Date.now()` for a machine's clock). */
  now(): number | Promise<number>

  /** What the store holds for a name, read by the store's own client and not through the provider under judgement. */
  look(name: string): Promise<StoredRecord | undefined>

  /** Makes the record of a name vanish, as a loss of data would: all of it, with whatever is kept beside it. */
  lose(name: string): Promise<void>

  /** A provider whose store can't be reached, such as one on a port where nobody listens. */
  readonly unreachable: (() => LockProvider | Promise<LockProvider>) | WhyNot

  /**
   * Connects to a place of that name (a table, a collection, a prefix; lower-case letters, digits and underscores) in which nothing was
   * set up yet. Several calls with the same `place` are several nodes; the suite closes them.
   */
  readonly unprepared: ((place: string) => LockProvider | Promise<LockProvider>) | WhyNot

  /** Makes a provider with the user's own client, closes the provider, and tells whether that client still answers. */
  readonly clientSurvivesClose: (() => Promise<boolean>) | WhyNot

  /**
   * Requests a lock as ShedLock on a JVM does, with ShedLock's own statement, from the host `jvm-host`; tells whether
   * it was obtained.
   */
  readonly asShedLock: ((name: string, lockedForMs: number) => Promise<boolean>) | WhyNot

  /**
   * Ways in which the record of a name becomes one that no lock can have, written by the store's own client over the record of a held lock:
   * a title, such as `'a string where a time belongs'`, and what writes it. Values out of range, of wrong types, and missing ones.
   */
  readonly poisons: Readonly<Record<string, (name: string) => unknown>> | WhyNot

  /** Names that the store can't keep, and whose requests therefore fail alone. @default none */
  readonly unfitNames?: readonly string[]

  /**
   * Locks the record of a name in the open transaction of a stranger; where there is no record, creates one in that transaction. Returns
   * what rolls it back.
   */
  readonly lockRecord: ((name: string) => Promise<() => Promise<void>>) | WhyNot

  /** Why the provider has no `setPaused`, if it has none. */
  readonly cannotPause?: WhyNot

  /** Why the provider has no `history`, if it has none. */
  readonly keepsNoHistory?: WhyNot

  /** Called before anything else, once. */
  before?(): Promise<void>

  /** Called when everything is done: ends the clients that the subject itself opened. */
  after?(): Promise<void>
}
