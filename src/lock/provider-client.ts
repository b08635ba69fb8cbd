import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers'
import { type Clock, setDeadline, sleep, within } from '../clock.ts'
import { InvalidOptionError, isRecordBusy, StoreError } from '../errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  ReleaseRequest,
  ResetRequest,
  Settled,
  TransactionSupport,
  UnreadableRecord,
} from '../provider/contract.ts'
import { isUnreadable } from '../provider/record.ts'
import { ClockJumps, type Moment } from './clock-jumps.ts'
import { Coalescer } from './coalescer.ts'
import { Deadlines } from './deadlines.ts'
import { ReleaseRetries } from './release-retries.ts'
import { SharedTimers } from './shared-timers.ts'
import {
  aboutAll,
  isSingleRequestError,
  markSingleRequestError,
  toOwnError,
  toStoreError,
  type Verb,
  type What,
} from './store-errors.ts'

/** Releases wait for an acquire batch of at least this many locks. */
const LARGE_BATCH = 1_000
/** How long they wait at most, in ms. */
const HOLD_RELEASES_FOR = 250

/** The delays before a request is repeated whose record another transaction has locked, in ms: mostly another node's batch, for a moment. */
const FIRST_BUSY_DELAY = 5
const LONGEST_BUSY_DELAY = 250

/** A tick in the year 9000, which no clock has reached. */
export const NEVER = Date.UTC(9000, 0)

/**
 * A reading of the store's clock: it was `storeTime` there at some moment between `sent` and `receivedAt` (monotonic,
 * here).
 */
export interface ClockReading {
  readonly storeTime: number
  readonly sent: Moment
  readonly receivedAt: number
}

/** Resolves when all timers that are due now have fired: of the event loop, and no clock's affair. */
const afterTimers = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export interface ProviderClientOptions {
  readonly provider: LockProvider
  readonly clock: Clock
  /** Who sees the jumps of that clock. */
  readonly jumps?: ClockJumps
  /** The most a single call may take, in ms. */
  readonly timeout: number
  /** Called for every reading of the store's clock that an answer brings. */
  readonly onReading?: ((reading: ClockReading) => void) | undefined
  /**
   * Releases wait until all timers have fired that are due now: works that take equally long, and began together, end by timers one after another, and
   * each would be a call of its own.
   */
  readonly gatherReleases?: boolean
}

/**
 * A provider as the core uses it: single calls are gathered into batches, every failure is a {@link StoreError}, no call is
 * waited for longer than its time, and each answer yields a reading of the store's clock.
 */
export class ProviderClient {
  readonly clock: Clock
  readonly timeout: number
  /** When the leases end that were had here. */
  readonly deadlines: Deadlines
  readonly releaseRetries: ReleaseRetries
  /** For the renewals of what was granted here. */
  readonly renewalTimers: SharedTimers
  readonly #provider: LockProvider
  readonly #onReading: ((reading: ClockReading) => void) | undefined
  readonly #acquire: Coalescer<AcquireRequest, AcquireResult>
  /** For what is expected to be refused. */
  readonly #acquireMostRefused: Coalescer<AcquireRequest, AcquireResult>
  readonly #extend: Coalescer<ExtendRequest, Lease | undefined>
  readonly #release: Coalescer<ReleaseRequest, boolean>
  readonly #releasing = new Set<Promise<unknown>>()
  readonly #delays = new Map<number, Promise<void>>()
  /** Resolves when the large batch that the store is deciding is decided, or has had its time; undefined when there is none. */
  #deciding: Promise<void> | undefined

  constructor({ provider, clock, jumps, timeout, onReading, gatherReleases = false }: ProviderClientOptions) {
    this.#provider = provider
    this.clock = clock
    this.timeout = timeout
    this.deadlines = new Deadlines(clock, jumps ?? new ClockJumps(clock))
    this.releaseRetries = new ReleaseRetries(clock)
    this.renewalTimers = new SharedTimers(clock)
    this.#onReading = onReading
    this.#acquire = new Coalescer((batch) => this.#sendAcquire(batch))
    this.#acquireMostRefused = new Coalescer((batch) => this.#sendAcquire(batch, true))
    this.#extend = new Coalescer((batch) =>
      this.#send('extend', batch, () => provider.extend(batch, { timeout }), timeOfLease),
    )
    this.#release = new Coalescer(
      (batch) => this.#sendRelease(batch),
      () => this.#deciding ?? (gatherReleases ? afterTimers() : undefined),
    )
  }

  /** What joins a transaction of the user's, if the provider can. */
  get transactions(): TransactionSupport | undefined {
    return this.#provider.transactions
  }

  /**
   * Not bounded in time, since an acquisition also takes a result that comes late: see {@link ProviderClient.within}.
   * While another transaction has locked the record, the request is repeated for `busyFor` ms, as long as `isWanted`.
   */
  acquire(request: AcquireRequest, busyFor = this.timeout, isWanted?: () => boolean): Promise<AcquireResult> {
    return this.#whileBusy(this.#acquire, request, busyFor, isWanted)
  }

  /** As many calls as there are requests, with one promise for all of them. Not bounded in time. `mostRefused`: see {@link CallOptions}. */
  acquireAll(requests: readonly AcquireRequest[], mostRefused = false): Promise<readonly Settled<AcquireResult>[]> {
    return (mostRefused ? this.#acquireMostRefused : this.#acquire).callAll(requests)
  }

  /** As {@link ProviderClient.acquire}. */
  extend(request: ExtendRequest, busyFor = this.timeout): Promise<Lease | undefined> {
    return this.#whileBusy(this.#extend, request, busyFor)
  }

  release(request: ReleaseRequest): Promise<boolean> {
    return this.#whileBusy(this.#release, request, this.timeout)
  }

  /**
   * Repeats a call while another transaction has locked the record, for `ms` milliseconds and as long as `isWanted`.
   *
   * @throws {RecordBusyError} before these are over.
   */
  #whileBusy<Request, Result>(
    calls: Coalescer<Request, Result>,
    request: Request,
    ms: number,
    isWanted = (): boolean => true,
    tries = 0,
  ): Promise<Result> {
    const deadline = this.clock.monotonic() + ms
    return calls.call(request).catch(async (error: unknown) => {
      const delay = Math.min(FIRST_BUSY_DELAY * 2 ** tries, LONGEST_BUSY_DELAY)
      if (!isRecordBusy(error) || this.clock.monotonic() + delay >= deadline) throw error
      await this.#sharedDelay(delay)
      if (!isWanted()) throw error
      return await this.#whileBusy(calls, request, deadline - this.clock.monotonic(), isWanted, tries + 1)
    })
  }

  /** One timer for all that wait equally long from now, so that their calls are one batch again. */
  #sharedDelay(ms: number): Promise<void> {
    const known = this.#delays.get(ms)
    if (known) return known
    const delay = sleep(this.clock, ms).finally(() => this.#delays.delete(ms))
    this.#delays.set(ms, delay)
    return delay
  }

  async read(names: readonly string[]): Promise<readonly (LockRecord | UnreadableRecord)[]> {
    const sent = this.deadlines.now()
    const what = aboutAll(
      'read',
      names.map((name) => ({ name })),
    )
    const records = await this.#callWithin(what, () => this.#provider.read(names))
    this.#read(sent, records[0]?.storeTime)
    // The store has responded: its records are no failures of its own.
    for (const record of records) if (isUnreadable(record)) markSingleRequestError(record.unreadable)
    return records
  }

  /**
   * Pauses or resumes a name. False when it was so before.
   *
   * @throws {InvalidOptionError} when the provider can't.
   */
  async setPaused(request: PauseRequest): Promise<boolean> {
    const provider = this.#provider
    if (!provider.setPaused) throw new InvalidOptionError('the provider has no setPaused, so jobs can not be paused')
    const what: What = () => `${request.paused ? 'pause' : 'resume'} ${JSON.stringify(request.name)}`
    return (await this.#callWithin(what, async () => provider.setPaused?.(request))) === true
  }

  /** See {@link LockProvider.forceRelease}. */
  forceRelease(name: string): Promise<boolean> {
    return this.#callWithin(
      () => `take the lock ${JSON.stringify(name)} from its holder`,
      () => this.#provider.forceRelease(name),
    )
  }

  /** See {@link LockProvider.reset}. */
  reset(request: ResetRequest): Promise<boolean> {
    return this.#callWithin(
      () => `repair the record of lock ${JSON.stringify(request.name)}`,
      () => this.#provider.reset(request),
    )
  }

  /** A call that no batch gathers. */
  #callWithin<T>(what: What, call: () => Promise<T>): Promise<T> {
    return this.within(this.timeout, what, this.#call(what, call))
  }

  /**
   * Reads the store's clock. It requests a tick so far ahead that every store refuses it without writing anything, and each result brings the clock
   * along. When the request for this name fails alone, its record is read instead.
   */
  async readClock(anyName: string, label: string): Promise<void> {
    const request = { name: anyName, owner: randomUUID(), label, lockAtMostFor: 1, tick: NEVER, maxClockSkew: 0 }
    const refused = this.#acquire.call(request).catch(async (error: unknown) => {
      if (!isSingleRequestError(error) || (await this.read([anyName])).length === 0) throw error
    })
    await this.within(this.timeout, () => "read the store's clock", refused)
  }

  /** The result, or a {@link StoreError} when it has not come after `ms` milliseconds. */
  within<T>(ms: number, what: What, result: Promise<T>): Promise<T> {
    const late = (): StoreError =>
      new StoreError(`could not ${what()}: the store did not respond within ${Math.round(ms)} ms`)
    return within(this.clock, ms, result, late)
  }

  /** Resolves when what has been asked to be released so far is, or that has failed. */
  async released(): Promise<void> {
    await this.#deciding
    await afterTimers()
    await Promise.allSettled(this.#releasing)
  }

  /** One deadline for a batch, in place of one for each of thousands of locks. */
  async #sendRelease(batch: readonly ReleaseRequest[]): Promise<readonly Settled<boolean>[]> {
    const results = this.#send('release', batch, () => this.#provider.release(batch, { timeout: this.timeout }))
    const bounded = this.within(this.timeout, aboutAll('release', batch), results)
    this.#releasing.add(bounded)
    try {
      return await bounded
    } finally {
      this.#releasing.delete(bounded)
    }
  }

  async #sendAcquire(
    batch: readonly AcquireRequest[],
    mostRefused = false,
  ): Promise<readonly Settled<AcquireResult>[]> {
    const { timeout } = this
    const results = this.#send('acquire', batch, () => this.#provider.acquire(batch, { timeout, mostRefused }), timeOf)
    if (batch.length >= LARGE_BATCH) this.#holdReleases(results)
    return await results
  }

  /** Releases wait until a large acquire batch is decided, 250 ms at most. */
  #holdReleases(results: Promise<unknown>): void {
    const deciding = new Promise<void>((resolve) => {
      const over = (): void => {
        timer.cancel()
        if (this.#deciding === deciding) this.#deciding = undefined
        resolve()
      }
      const timer = setDeadline(this.clock, this.clock.monotonic() + HOLD_RELEASES_FOR, over, { background: true })
      results.then(over, over)
    })
    this.#deciding = deciding
  }

  /** Sends a batch. The first result that has it brings the store's clock: they are all of the same time. */
  async #send<Request extends { readonly name: string }, Result>(
    verb: Verb,
    batch: readonly Request[],
    send: () => Promise<readonly Settled<Result>[]>,
    timeOf?: (result: Result) => number | undefined,
  ): Promise<readonly Settled<Result>[]> {
    const sent = this.deadlines.now()
    const results = await this.#call(aboutAll(verb, batch), send)
    if (results.length !== batch.length) {
      const returned = `the provider returned ${results.length} results for ${batch.length} requests`
      throw new StoreError(`could not ${aboutAll(verb, batch)()}: ${returned}`)
    }
    let failed = false
    let storeTime: number | undefined
    for (const result of results) {
      if (result instanceof Error) failed = true
      else storeTime ??= timeOf?.(result)
    }
    this.#read(sent, storeTime)
    return failed ? results.map((result, index) => toOwnError(verb, batch[index]?.name, result)) : results
  }

  async #call<T>(what: What, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw toStoreError(what(), error)
    }
  }

  #read(sent: Moment, storeTime: number | undefined): void {
    if (storeTime !== undefined) this.#onReading?.({ storeTime, sent, receivedAt: this.clock.monotonic() })
  }
}

const timeOf = (result: AcquireResult): number => (result.granted ? result.lease.storeTime : result.storeTime)
const timeOfLease = (lease: Lease | undefined): number | undefined => lease?.storeTime
