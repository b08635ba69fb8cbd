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
 *     the batch), and answers in request order.
 *   - An answer is a fact. A store that fails, or whose answer is not known, makes the promise reject; the core turns
 *     whatever it rejects with into `StoreError`.
 *   - Time is the store's own clock wherever the store has one. Times in answers are ms since the epoch by that clock, may
 *     have fractions, and come with the clock's reading (`storeTime`) taken while deciding.
 *   - Who holds a lock is written as `holderOf(request)`, see holder.ts; `decide.ts` is the reference for every decision.
 */

import type { RunHistory } from './history.ts'

/** One name asked for by one owner. */
export interface AcquireRequest {
  readonly name: string
  /** Unique for each acquisition. Asking again with the same owner returns the same grant. */
  readonly owner: string
  readonly label: string
  /** The lease's length in ms, a whole number from 1. */
  readonly lockAtMostFor: number
  /** The tick to take, ms since the epoch; without it no tick is taken. */
  readonly tick?: number | undefined
  /** `'rerun'`: the last granted tick may be taken over when its lease lapsed and nobody released it. @default 'skip' */
  readonly onCrash?: 'skip' | 'rerun' | undefined
  /** A tick more than this many ms ahead of the store's clock is refused. */
  readonly maxClockSkew: number
  /** A short text kept with the lock for people to read. */
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
}

export interface Refused {
  readonly granted: false
  /** `'paused'`: the record is paused and a tick was asked for. Only from providers with `setPaused`. */
  readonly reason: 'held' | 'tick-taken' | 'clock-ahead' | 'paused'
  /** The record as it is. Missing only when there is none (a first tick refused as `clock-ahead`). */
  readonly record?: LockRecord | undefined
  readonly storeTime: number
}

export type AcquireResult = Granted | Refused

/** Asks for a longer lease. Answered with the lease, or `undefined` when this owner has no unexpired lease. */
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
 * Gives a lock back. Answered with `true` when it was freed by this call or by an earlier one of the same owner,
 * `false` when this owner has no unexpired lease.
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

/**
 * Refuses the ticks of a name for the whole cluster, or grants them again. The ticks up to the moment of a resume, by the store's clock, are over
 * and owed to nobody: it becomes the record's last tick, done.
 */
export interface PauseRequest {
  readonly name: string
  readonly paused: boolean
}

/** Is told of an answer: its place in the batch, and the answer. */
export type Tell<Answer> = (index: number, answer: Answer) => void

/** The piece that keeps locks in one kind of store. */
export interface LockProvider {
  /**
   * A provider that has some answers of a large batch before the others may tell them, each once and before the promise settles, so that
   * what was granted begins. The promise answers all the same; where it rejects, what was told stands.
   */
  acquire(requests: readonly AcquireRequest[], tell?: Tell<AcquireResult>): Promise<readonly AcquireResult[]>
  extend(requests: readonly ExtendRequest[]): Promise<readonly (Lease | undefined)[]>
  release(requests: readonly ReleaseRequest[]): Promise<readonly boolean[]>
  /** The records of these names that exist, or all, in order of their names. */
  read(names?: readonly string[]): Promise<readonly LockRecord[]>
  /** Frees a name whoever has it, `lockAtLeastFor` or not. False when nobody had it. Fencing token and last tick stay. */
  forceRelease(name: string): Promise<boolean>
  /** Drops records that have been free, and whose last tick has been past, for so many ms. Answers how many. */
  prune(olderThanMs: number): Promise<number>
  /**
   * Optional. Pauses a name, also one that has no record yet, or resumes it; false when it was so before. From the moment of the answer no tick is
   * granted to anybody; what asks without a tick is granted as ever, and leases that are out stay. `prune` keeps what is paused.
   */
  setPaused?(request: PauseRequest): Promise<boolean>
  /** Optional: keeps what became of ticks. Decides nothing. */
  readonly history?: RunHistory | undefined
  /** Makes what the store needs (table, indexes). Idempotent; concurrent callers are fine. */
  setup?(): Promise<void>
  /** Idempotent; closes only what the provider itself opened. */
  close(): Promise<void>
}
