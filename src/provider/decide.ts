/*
 * The reference for every decision about a lock, as pure functions of the record, the request and the store's clock.
 * Stores that decide in this process (memory, sqlite) call it; the others say the same in SQL, Lua or a pipeline, and the
 * conformance suite holds them to it.
 */
import type {
  AcquireRequest,
  CompleteRequest,
  ExtendRequest,
  FenceRequest,
  FenceResult,
  LockRecord,
  PauseRequest,
  Refused,
  ReleaseRequest,
  ResetRequest,
} from './contract.ts'
import { holderOf, releasedHolderOf } from './holder.ts'

/** A record without the clock's reading: what is kept. */
export type StoredLock = Omit<LockRecord, 'storeTime'>

export type AcquireDecision =
  | {
      readonly outcome: 'grant'
      readonly next: StoredLock
      /** Another owner was granted this tick and did not finish it. */
      readonly rerun: boolean
    }
  /** This owner was granted the lock before and the reply was lost: the same grant once more. */
  | { readonly outcome: 'granted-before'; readonly next: StoredLock }
  | { readonly outcome: 'refuse'; readonly reason: Refused['reason'] }

export function decideAcquire(record: StoredLock | undefined, request: AcquireRequest, now: number): AcquireDecision {
  const ours = record?.lockedBy === holderOf(request)
  if (record && ours && record.lockUntil > now) return { outcome: 'granted-before', next: record }
  const reason = refusal(record, request, now, ours)
  if (reason) return { outcome: 'refuse', reason }
  const rerun = !ours && request.tick !== undefined && request.tick === record?.lastTick
  return { outcome: 'grant', next: grant(record, request, now), rerun }
}

function refusal(
  record: StoredLock | undefined,
  request: AcquireRequest,
  now: number,
  ours: boolean,
): Refused['reason'] | undefined {
  const { tick } = request
  if (tick !== undefined && tick > now + request.maxClockSkew) return 'clock-ahead'
  if (!record) return undefined
  if (tick !== undefined && record.paused) return 'paused'
  if (tick !== undefined && record.lastTick !== undefined && tick <= record.lastTick) {
    // A expired tick that nobody finished may run again if the job wants that; and its own owner, asking again, never
    // got the reply.
    const unfinished = tick === record.lastTick && !record.tickDone && record.lockUntil <= now
    if (!(unfinished && (request.onCrash === 'rerun' || ours))) return 'tick-taken'
  }
  // A late duplicate of an acquisition that was granted and released: nobody waits for its answer.
  if (record.lockedBy === releasedHolderOf(request)) return 'held'
  return record.lockUntil > now ? 'held' : undefined
}

function grant(record: StoredLock | undefined, request: AcquireRequest, now: number): StoredLock {
  const takesTick = request.tick !== undefined
  return {
    name: request.name,
    lockedBy: holderOf(request),
    lockedAt: now,
    lockUntil: now + request.lockAtMostFor,
    fencingToken: nextFencingToken(record?.fencingToken ?? 0, now),
    lastTick: takesTick ? request.tick : record?.lastTick,
    tickDone: takesTick ? false : (record?.tickDone ?? false),
    metadata: request.metadata,
    paused: record?.paused ?? false,
  }
}

/**
 * The store's clock in microseconds, or one more than the last token where that is later. By the first a token is newer than all
 * before it even when the record was lost, or a replica without the last grants took over; by the second also when the clock went back.
 */
export const nextFencingToken = (last: number, now: number): number => Math.max(last + 1, Math.floor(now * 1000))

/** The record after an extension, or `undefined` when this owner has no unexpired lease. */
export function decideExtend(
  record: StoredLock | undefined,
  request: ExtendRequest,
  now: number,
): StoredLock | undefined {
  if (!record || record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined
  const mayShorten = request.mayShortenUntil !== undefined && now <= request.mayShortenUntil
  const lockUntil = Math.max(
    now + request.lockAtMostFor,
    record.lockedAt + request.lockAtLeastFor,
    mayShorten ? 0 : record.lockUntil,
  )
  return { ...record, lockUntil }
}

export interface ReleaseDecision {
  /** Whether this request, or an earlier one of the same owner, ended an unexpired lease. */
  readonly released: boolean
  /** The record after the release. Undefined when it stays as it is. */
  readonly next?: StoredLock | undefined
}

/**
 * Decides a release. When the lease is over, expired or released before, and nobody took the lock over, it marks the
 * tick as done and changes nothing else: the run has ended, and with `onCrash: 'rerun'` no node may run it again. A
 * lease is released before its run ends when an extension that came too late had revived it: the node gives it back
 * without its tick, which the run marks later.
 */
export function decideRelease(record: StoredLock | undefined, request: ReleaseRequest, now: number): ReleaseDecision {
  const lockedBy = releasedHolderOf(request)
  const releasedBefore = record?.lockedBy === lockedBy
  if (!record || (!releasedBefore && record.lockedBy !== holderOf(request))) return { released: false }
  const endsTick = request.tick !== undefined && request.tick === record.lastTick && !record.tickDone
  if (releasedBefore || record.lockUntil <= now)
    return { released: releasedBefore, next: endsTick ? { ...record, tickDone: true } : undefined }
  const lockUntil = Math.max(now, record.lockedAt + request.lockAtLeastFor)
  return { released: true, next: { ...record, lockedBy, lockUntil, tickDone: record.tickDone || endsTick } }
}

/**
 * Decides whether a transaction may go on. A record that says that this owner has released it was completed before;
 * unless its tick is unfinished: then a node had given back a lease that a late extension revived, while the run still
 * goes on.
 */
export function decideFence(record: StoredLock | undefined, request: FenceRequest): FenceResult {
  if (!record) return 'no-record'
  if (record.fencingToken !== request.fencingToken) return 'lost'
  if (record.lockedBy === holderOf(request)) return 'done'
  if (record.lockedBy !== releasedHolderOf(request)) return 'lost'
  return request.tick !== undefined && request.tick === record.lastTick && !record.tickDone ? 'done' : 'completed'
}

/**
 * The record after a completion. An expired lease stays over: only its tick is marked, and its holder is one who
 * released.
 */
export const decideComplete = (record: StoredLock, request: CompleteRequest, now: number): StoredLock => ({
  ...record,
  lockedBy: releasedHolderOf(request),
  lockUntil: Math.max(Math.min(now, record.lockUntil), record.lockedAt + request.lockAtLeastFor),
  tickDone: record.tickDone || (request.tick !== undefined && request.tick === record.lastTick),
})

/** The record after a reset, or `undefined` when a readable record has nothing to repair. */
export function decideReset(
  record: StoredLock | undefined,
  { maxClockSkew }: ResetRequest,
  now: number,
): StoredLock | undefined {
  if (record?.lastTick === undefined || record.lastTick <= now + maxClockSkew) return undefined
  return { ...record, lastTick: Math.floor(now), tickDone: true }
}

/** The record after a pause or a resume, or `undefined` when it was so before. */
export function decidePause(
  record: StoredLock | undefined,
  { name, paused }: PauseRequest,
  now: number,
): StoredLock | undefined {
  if ((record?.paused ?? false) === paused) return undefined
  const known = record ?? { name, lockedBy: '', lockedAt: now, lockUntil: now, fencingToken: 0, tickDone: false }
  if (paused) return { ...known, paused }
  const passed = Math.floor(now)
  // A tick may have been granted that lies a little ahead: it stays the last one, as it is.
  if (known.lastTick !== undefined && known.lastTick >= passed) return { ...known, paused }
  return { ...known, paused, lastTick: passed, tickDone: true }
}
