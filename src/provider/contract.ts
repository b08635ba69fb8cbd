/*
 * The seam between ticklock and a kind of store.
 *
 * A provider gets durations (ms), owners and ticks, and returns facts. It knows nothing of schedulers, events or retries.
 *
 *   lock           the record of a name in the store: who has it, until when
 *   lease          a granted lock in the hands of one owner, valid until `lockUntil` unless extended
 *   owner          a random id made for each acquisition
 *   label          `host:pid` or the like, kept beside the owner for people to read; decides nothing
 *   tick           one instant of a job's schedule (ms since the epoch), the same on all nodes
 *   fencing token  an integer that grows by every grant of a name, for the life of the name
 *
 * Rules that hold for every verb:
 *   - It takes a batch, decides each entry on its own (a name may occur more than once: then one after another, in order of
 *     the batch), and returns results in request order.
 *   - A result is a fact. A store that fails, or whose response is unknown, makes the promise reject. The core turns
 *     whatever it rejects with into `StoreError`.
 *   - One bad name harms only itself. A request whose record can't be read, whose name the table can't hold, or whose row a
 *     stranger's transaction has locked gets an `Error` in its place (as with DataLoader). Every other request of the batch is
 *     decided as if the bad one were not there.
 *   - No verb waits for a record that another transaction has locked. That request gets a `RecordBusyError` at once, and the
 *     core repeats it.
 *   - Time is the store's own clock wherever the store has one. Times in answers are ms since the epoch by that clock, may
 *     have fractions, and come with the clock's reading (`storeTime`) taken while deciding.
 *   - Who holds a lock is written as `holderOf(request)`, see holder.ts; `decide.ts` is the reference for every decision.
 */

import type { StoreError } from '../errors.ts'
import type { RunHistory } from './history.ts'

/** A request's result, or the error with which this request alone failed. */
export type Settled<Result> = Result | Error

/** What the caller of a verb allows. */
export interface CallOptions {
  /**
   * How long the caller waits, in ms. Nothing of the call may wait on the server for longer. Without it the provider sets a
   * bound of its own.
   */
  readonly timeout?: number | undefined
  /**
   * The caller expects that most of an `acquire` is refused. A provider may then read before it locks anything. Changes no
   * decision.
   */
  readonly mostRefused?: boolean | undefined
}

/** One name requested by one owner. */
export interface AcquireRequest {
  readonly name: string
  /** Unique for each acquisition. Asking again with the same owner returns the same grant. */
  readonly owner: string
  readonly label: string
  /** The lease's length in ms, a whole number from 1. */
  readonly lockAtMostFor: number
  /** The tick to take, ms since the epoch; without it no tick is taken. */
  readonly tick?: number | undefined
  /**
   * `'rerun'`: the last granted tick may be taken over when its lease expired and nobody released it. @default 'skip'
   */
  readonly onCrash?: 'skip' | 'rerun' | undefined
  /** A tick more than this many ms ahead of the store's clock is refused. */
  readonly maxClockSkew: number
  /** A short string kept with the lock for people to read. */
  readonly metadata?: string | undefined
}

/** A grant. */
export interface Lease {
  readonly name: string
  readonly owner: string
  readonly fencingToken: number
  /** When the lock was first granted to this owner, by the store's clock. */
  readonly acquiredAt: number
  /** Until when it is granted, by the store's clock. */
  readonly lockUntil: number
  /** The store's clock when it decided. What is left of the lease is `lockUntil - storeTime`, counted from the sending of the request. */
  readonly storeTime: number
}

export interface Granted {
  readonly granted: true
  readonly lease: Lease
  /** The tick had been granted to another owner, whose lease expired before the tick was done. Unknown when a request is repeated. */
  readonly rerun?: boolean | undefined
}

export interface Refused {
  readonly granted: false
  /** `'paused'`: the record is paused and a tick was requested. Only from providers with `setPaused`. */
  readonly reason: 'held' | 'tick-taken' | 'clock-ahead' | 'paused'
  /** The record as it is. Missing only when there is none (a first tick refused as `clock-ahead`). */
  readonly record?: LockRecord | undefined
  readonly storeTime: number
}

export type AcquireResult = Granted | Refused

/** Requests a longer lease. Answered with the lease, or `undefined` when this owner has no unexpired lease. */
export interface ExtendRequest {
  readonly name: string
  readonly owner: string
  readonly label: string
  /** The lease's new length in ms from the store's now. */
  readonly lockAtMostFor: number
  /** The lease never ends before the acquisition plus this many ms. */
  readonly lockAtLeastFor: number
  /**
   * Up to this time by the store's clock the lease may also be made shorter; after it, or without it, only longer. A request
   * that was held up on its way must not shorten a lease which a later request has extended.
   */
  readonly mayShortenUntil?: number | undefined
}

/**
 * Ends a lease. The result is `true` when this call or an earlier one of the same owner ended it, `false` when this
 * owner has no unexpired lease. If its lease has expired and nobody took the lock over, the result is `false` too, but
 * the tick is marked as done: the run has ended, so this was no crash. Likewise if this owner released the lease
 * before, without its tick; the result is `true` then.
 */
export interface ReleaseRequest {
  readonly name: string
  readonly owner: string
  readonly label: string
  /** The lock stays taken until the acquisition plus this many ms, by the store's clock. */
  readonly lockAtLeastFor: number
  /** The tick to mark as done, if it still is the record's last one. Without it no tick is marked. */
  readonly tick?: number | undefined
}

/** A lock as it is in the store. */
export interface LockRecord {
  readonly name: string
  /** The holder as written in the store, see holder.ts; or whatever a ShedLock node wrote. */
  readonly lockedBy: string
  readonly lockedAt: number
  /** The lock is free when this is not after `storeTime`. */
  readonly lockUntil: number
  /** 0 when no ticklock node was ever granted this name. */
  readonly fencingToken: number
  readonly lastTick?: number | undefined
  /** Whether the holder of `lastTick` released. False while it runs, and after a crash. */
  readonly tickDone: boolean
  readonly metadata?: string | undefined
  /** Whether ticks of this name are refused. Missing where the provider has no `setPaused`. */
  readonly paused?: boolean | undefined
  /** The store's clock when it read this. */
  readonly storeTime: number
}

/** A record that exists but has values that no lock can have, such as a text where a time belongs. */
export interface UnreadableRecord {
  readonly name: string
  /** What is wrong, and how to repair it. */
  readonly unreadable: StoreError
  /** The store's clock when it read this. */
  readonly storeTime: number
}

/** Puts a record in order whose values can't be read, or whose last tick lies in the future. */
export interface ResetRequest {
  readonly name: string
  /** A last tick more than this many ms ahead of the store's clock becomes the present, done. */
  readonly maxClockSkew: number
}

/**
 * Refuses the ticks of a name for the whole cluster, or grants them again. The ticks up to the moment of a resume, by the store's clock, are over
 * and owed to nobody: it becomes the record's last tick, done.
 */
export interface PauseRequest {
  readonly name: string
  readonly paused: boolean
}

/** The lease that a transaction of the user's depends on. */
export interface FenceRequest {
  readonly name: string
  readonly owner: string
  readonly label: string
  readonly fencingToken: number
  /** The tick that the lock was granted for, if any. */
  readonly tick?: number | undefined
}

/** What ends with a transaction of the user's: the lease, and the run's tick. */
export interface CompleteRequest extends FenceRequest {
  /** As in {@link ReleaseRequest}. */
  readonly lockAtLeastFor: number
}

/**
 * What became of a request within a transaction. `'lost'`: a later grant exists. `'completed'`: an earlier transaction,
 * or this one, completed the run. `'no-record'`: this database has no record of the name, so it is not the one that
 * keeps the locks. `'no-transaction'`: none is open. Nothing was changed but for `'done'`.
 */
export type FenceResult = 'done' | 'lost' | 'completed' | 'no-record' | 'no-transaction'

/** Joins transactions of the user's, in the database that keeps the locks. */
export interface TransactionSupport {
  /**
   * Marks the tick as done and releases, as `release` does, if the record still has this owner and this fencing token,
   * expired or not, and the run was not completed before: code that repeats a transaction whose commit was not
   * confirmed must learn that it took effect. It counts when the transaction commits; until then nobody can take the
   * lock over. Rejects with the driver's own error, which the user's code knows how to repeat.
   */
  complete(transaction: object, request: CompleteRequest): Promise<FenceResult>
  /** The same check, which holds until the transaction ends, and changes nothing. */
  fence(transaction: object, request: FenceRequest): Promise<FenceResult>
}

/** The piece that keeps locks in one kind of store. */
export interface LockProvider {
  acquire(requests: readonly AcquireRequest[], options?: CallOptions): Promise<readonly Settled<AcquireResult>[]>
  extend(requests: readonly ExtendRequest[], options?: CallOptions): Promise<readonly Settled<Lease | undefined>[]>
  release(requests: readonly ReleaseRequest[], options?: CallOptions): Promise<readonly Settled<boolean>[]>
  /** The records of these names that exist, or all, in order of their names. */
  read(names?: readonly string[]): Promise<readonly (LockRecord | UnreadableRecord)[]>
  /**
   * Frees a name whoever holds it, `lockAtLeastFor` or not. False when nobody held it. Fencing token and last tick stay. A record
   * that can't be read is repaired first, as {@link LockProvider.reset} does, and counts as held.
   */
  forceRelease(name: string): Promise<boolean>
  /**
   * Repairs a record. Each value that can't be read is replaced: a time by the present, a last tick by the present, done, a
   * fencing token by a new one, any other value by none. A last tick too far in the future becomes the present, done. The lease of a readable record
   * stays. False when there was nothing to repair.
   */
  reset(request: ResetRequest): Promise<boolean>
  /** Deletes records that have been free, and whose last tick has been past, for this many ms. Returns how many. */
  prune(olderThanMs: number): Promise<number>
  /**
   * Optional. Pauses a name, also one that has no record yet, or resumes it. False when it was so before. Once this has resolved,
   * no tick is granted to anybody. Requests without a tick are granted as ever, and granted leases stay. `prune` keeps paused records.
   */
  setPaused?(request: PauseRequest): Promise<boolean>
  /** Optional: where the locks are in a database whose transactions the user's own writes can share. */
  readonly transactions?: TransactionSupport | undefined
  /** Optional: keeps what became of ticks. Decides nothing. */
  readonly history?: RunHistory | undefined
  /** Creates what the store needs (table, indexes). Idempotent; concurrent callers are fine. */
  setup?(): Promise<void>
  /** Idempotent; closes only what the provider itself opened. */
  close(): Promise<void>
}
