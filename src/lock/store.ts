import { randomUUID } from 'node:crypto'
import { type Clock, setDeadline } from '../clock.ts'
import { StoreError } from '../errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  ReleaseRequest,
} from '../provider/contract.ts'
import { Coalescer } from './coalescer.ts'

/** A tick in the year 9000, which no clock has reached. */
const NEVER = Date.UTC(9000, 0)

/** A reading of the store's clock: it was `storeTime` there at some moment between `sentAt` and `receivedAt` (monotonic, here). */
export interface ClockReading {
  readonly storeTime: number
  readonly sentAt: number
  readonly receivedAt: number
}

/** What the store is asked to do, for the message if it fails. Made only then: it is asked for thousands of locks at once. */
export type What = () => string

export const about =
  (verb: 'acquire' | 'extend' | 'release' | 'read', name: string): What =>
  () =>
    `${verb} lock ${JSON.stringify(name)}`

export interface StoreOptions {
  readonly provider: LockProvider
  readonly clock: Clock
  /** The most a single call may take, in ms. */
  readonly timeout: number
  /** Told of every reading of the store's clock that an answer brings. */
  readonly onReading?: ((reading: ClockReading) => void) | undefined
}

/**
 * A provider as the core uses it: single calls are gathered into batches, every failure is a {@link StoreError}, no call is
 * waited for longer than its time, and each answer yields a reading of the store's clock.
 */
export class Store {
  readonly clock: Clock
  readonly timeout: number
  readonly #provider: LockProvider
  readonly #onReading: ((reading: ClockReading) => void) | undefined
  readonly #acquire: Coalescer<AcquireRequest, AcquireResult>
  readonly #extend: Coalescer<ExtendRequest, Lease | undefined>
  readonly #release: Coalescer<ReleaseRequest, boolean>

  constructor({ provider, clock, timeout, onReading }: StoreOptions) {
    this.#provider = provider
    this.clock = clock
    this.timeout = timeout
    this.#onReading = onReading
    this.#acquire = new Coalescer((batch) => provider.acquire(batch))
    this.#extend = new Coalescer((batch) => provider.extend(batch))
    this.#release = new Coalescer((batch) => provider.release(batch))
  }

  /** Not bounded in time: an acquisition wants also the answer that comes late. See {@link Store.within}. */
  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    const sentAt = this.clock.monotonic()
    const result = await this.#call(about('acquire', request.name), () => this.#acquire.call(request))
    this.#read(sentAt, result.granted ? result.lease.storeTime : result.storeTime)
    return result
  }

  /** Not bounded in time, see {@link Store.within}. */
  async extend(request: ExtendRequest): Promise<Lease | undefined> {
    const sentAt = this.clock.monotonic()
    const lease = await this.#call(about('extend', request.name), () => this.#extend.call(request))
    if (lease) this.#read(sentAt, lease.storeTime)
    return lease
  }

  release(request: ReleaseRequest): Promise<boolean> {
    const what = about('release', request.name)
    return this.within(
      this.timeout,
      what,
      this.#call(what, () => this.#release.call(request)),
    )
  }

  async read(names: readonly string[]): Promise<readonly LockRecord[]> {
    const sentAt = this.clock.monotonic()
    const [only] = names
    const what = names.length === 1 && only !== undefined ? about('read', only) : () => `read ${names.length} locks`
    const records = await this.within(
      this.timeout,
      what,
      this.#call(what, () => this.#provider.read(names)),
    )
    if (records[0]) this.#read(sentAt, records[0].storeTime)
    return records
  }

  /**
   * Reads the store's clock: asks for a tick so far ahead that every store refuses it without writing anything, and each answer brings the
   * clock along.
   */
  async readClock(anyName: string, label: string): Promise<void> {
    const request = { name: anyName, owner: randomUUID(), label, lockAtMostFor: 1, tick: NEVER, maxClockSkew: 0 }
    await this.within(this.timeout, () => "read the store's clock", this.acquire(request))
  }

  /** The answer, or a {@link StoreError} when it has not come after `ms` milliseconds. */
  within<T>(ms: number, what: What, answer: Promise<T>): Promise<T> {
    // By hand: Promise.race and finally take six promises for each of thousands of asks.
    return new Promise((resolve, reject) => {
      // A timeout may be longer than any timer.
      const timer = setDeadline(this.clock, this.clock.monotonic() + ms, () =>
        reject(new StoreError(`could not ${what()}: the store did not answer within ${Math.round(ms)} ms`)),
      )
      answer.then(
        (value) => {
          timer.cancel()
          resolve(value)
        },
        (error) => {
          timer.cancel()
          reject(error)
        },
      )
    })
  }

  async #call<T>(what: What, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw toStoreError(what(), error)
    }
  }

  #read(sentAt: number, storeTime: number): void {
    this.#onReading?.({ storeTime, sentAt, receivedAt: this.clock.monotonic() })
  }
}

function toStoreError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const why = error instanceof Error && error.message ? error.message : String(error)
  return new StoreError(`could not ${what}: ${why}`, { cause: error })
}
