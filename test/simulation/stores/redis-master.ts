import { leaseOf } from '../../../src/provider/answers.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  ReleaseRequest,
  ResetRequest,
} from '../../../src/provider/contract.ts'
import {
  decideAcquire,
  decideExtend,
  decideRelease,
  decideReset,
  type StoredLock,
} from '../../../src/provider/decide.ts'
import { releasedHolderOf } from '../../../src/provider/holder.ts'
import { Kept } from './kept.ts'
import { Server } from './server.ts'
import type { StoreWorld } from './store.ts'

const DAY_MS = 24 * 60 * 60 * 1_000

/** The lock key: its value, and the end of the millisecond in which it expires. */
interface Key {
  readonly holder: string
  readonly until: number
}

/** The state beside it, and when it expires. */
interface State {
  readonly lock: StoredLock
  readonly until: number
}

/** What the two say together. */
interface Found {
  readonly record: StoredLock
  /** The key isn't the state's: of a lock whose state was evicted. Nobody's lease, and held. */
  readonly foreign: boolean
}

/** One master of Redis: its keys, and what the scripts do to them, each alone and at one moment of the server's clock. */
export class RedisMaster {
  readonly server: Server
  readonly #keys: Kept<Key>
  readonly #states: Kept<State>

  constructor(world: StoreWorld) {
    this.server = new Server(world, 'microseconds')
    this.#keys = new Kept(world.now)
    this.#states = new Kept(world.now)
  }

  acquire(request: AcquireRequest, now: number): AcquireResult {
    const { record, foreign } = this.#found(request.name, now)
    const decision = decideAcquire(foreign ? withoutHolder(record) : record, request, now)
    if (decision.outcome === 'refuse') {
      const { reason } = decision
      return { granted: false, reason, record: record && { ...record, storeTime: now }, storeTime: now }
    }
    const { next } = decision
    const lock = decision.outcome === 'grant' ? { ...next, lockUntil: endOfMs(next.lockUntil) } : next
    if (decision.outcome === 'grant') this.#put(lock, now)
    return { granted: true, lease: leaseOf(lock, request.owner, now) }
  }

  extend(request: ExtendRequest, now: number): Lease | undefined {
    const { record, foreign } = this.#found(request.name, now)
    if (!record || foreign) return undefined
    const asked = decideExtend(record, { ...request, mayShortenUntil: now }, now)
    if (!asked) return undefined
    const mayShorten =
      request.mayShortenUntil !== undefined && now <= Math.round(request.mayShortenUntil * 1_000) / 1_000
    const lockUntil = Math.max(endOfMs(asked.lockUntil), mayShorten ? 0 : record.lockUntil)
    this.#put({ ...record, lockUntil }, now)
    return leaseOf({ ...record, lockUntil }, request.owner, now)
  }

  release(request: ReleaseRequest, now: number): boolean {
    const { record, foreign } = this.#found(request.name, now)
    if (foreign) return record?.lockedBy === releasedHolderOf(request)
    const { released, next } = decideRelease(record, request, now)
    if (next) this.#put({ ...next, lockUntil: next.lockUntil > now ? endOfMs(next.lockUntil) : now }, now)
    return released
  }

  read(name: string, now: number): StoredLock | undefined {
    return this.#found(name, now).record
  }

  forceRelease(name: string, now: number): boolean {
    const { record } = this.#found(name, now)
    if (!record || record.lockUntil <= now) return false
    this.#keys.drop(name)
    const state = this.#state(name, now)
    if (state) this.#states.put(name, { ...state, lock: { ...state.lock, lockUntil: now } })
    return true
  }

  reset(request: ResetRequest, now: number): boolean {
    const next = decideReset(this.#found(request.name, now).record, request, now)
    if (next) this.#put(next, now)
    return next !== undefined
  }

  /** Drops this record if it has been free, and its last tick past, for so long. */
  prune(name: string, olderThanMs: number, now: number): boolean {
    const { record } = this.#found(name, now)
    if (!record || Math.max(record.lockUntil, record.lastTick ?? 0) >= now - olderThanMs) return false
    this.#keys.drop(name)
    this.#states.drop(name)
    return true
  }

  /** The names that have a state, or also those that have only a key. */
  names(part: 'state' | 'any'): Iterable<string> {
    return part === 'state' ? [...this.#states.keys()] : new Set([...this.#states.keys(), ...this.#keys.keys()])
  }

  /** Undoes what was written in the last so many ms. */
  forget(ms: number): void {
    this.#keys.forget(ms)
    this.#states.forget(ms)
  }

  clear(): void {
    this.#keys.clear()
    this.#states.clear()
  }

  evict(name: string, part: 'key' | 'state'): void {
    if (part === 'key') this.#keys.drop(name)
    else this.#states.drop(name)
  }

  #found(name: string, now: number): Found | { readonly record: undefined; readonly foreign: false } {
    const key = this.#key(name, now)
    const state = this.#state(name, now)?.lock
    if (!key) {
      // Lapsed, released, or evicted: free whatever the state says.
      return { record: state && { ...state, lockUntil: Math.min(state.lockUntil, now) }, foreign: false } as Found
    }
    if (state?.lockedBy === key.holder) {
      const sameEnd = Math.abs(key.until - state.lockUntil) <= 1_000
      return { record: sameEnd ? state : { ...state, lockUntil: key.until }, foreign: false }
    }
    const { fencingToken = 0, lastTick, tickDone = false } = state ?? {}
    const record = { name, lockedBy: key.holder, lockedAt: 0, lockUntil: key.until, fencingToken, lastTick, tickDone }
    return { record, foreign: true }
  }

  #key(name: string, now: number): Key | undefined {
    const key = this.#keys.get(name)
    return key && key.until > now ? key : undefined
  }

  #state(name: string, now: number): State | undefined {
    const state = this.#states.get(name)
    return state && state.until > now ? state : undefined
  }

  /** A name that took ticks is remembered for ever, others for a day after their last lease. */
  #put(lock: StoredLock, now: number): void {
    const until = lock.lastTick === undefined ? lock.lockUntil + DAY_MS : Number.POSITIVE_INFINITY
    this.#states.put(lock.name, { lock, until })
    if (lock.lockUntil > now) this.#keys.put(lock.name, { holder: lock.lockedBy, until: lock.lockUntil })
    else this.#keys.drop(lock.name)
  }
}

/** The end of the millisecond in which a time lies: keys, and so leases, end there. */
const endOfMs = (time: number): number => Math.floor(Math.round(time * 1_000) / 1_000) + 1

/** A record that is nobody's own, whatever stands in it. */
const withoutHolder = (record: StoredLock): StoredLock => ({ ...record, lockedBy: '' })
