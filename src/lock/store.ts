import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers'
import { type Clock, setDeadline } from '../clock.ts'
import { InvalidOptionError, StoreError } from '../errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  ReleaseRequest,
  Tell,
} from '../provider/contract.ts'
import { Coalescer } from './coalescer.ts'
import { Deadlines } from './deadlines.ts'

/** An acquisition of so many locks goes before releases, for so many ms. */
const LARGE = 1_000
const GOES_FIRST_FOR = 250

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

type Verb = 'acquire' | 'extend' | 'release' | 'read'

export const about =
  (verb: Verb, name: string): What =>
  () =>
    `${verb} lock ${JSON.stringify(name)}`

export const aboutAll =
  (verb: Verb, requests: readonly { readonly name: string }[]): What =>
  () => {
    const [first] = requests
    if (first === undefined) return `${verb} no lock`
    return requests.length === 1
      ? about(verb, first.name)()
      : `${verb} ${requests.length} locks such as ${JSON.stringify(first.name)}`
  }

/** Resolves when all timers that are due now have fired: of the event loop, and no clock's affair. */
const afterTimers = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export interface StoreOptions {
  readonly provider: LockProvider
  readonly clock: Clock
  /** The most a single call may take, in ms. */
  readonly timeout: number
  /** Told of every reading of the store's clock that an answer brings. */
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
export class Store {
  readonly clock: Clock
  readonly timeout: number
  /** When the leases end that were had here. */
  readonly deadlines: Deadlines
  readonly #provider: LockProvider
  readonly #onReading: ((reading: ClockReading) => void) | undefined
  readonly #acquire: Coalescer<AcquireRequest, AcquireResult>
  readonly #extend: Coalescer<ExtendRequest, Lease | undefined>
  readonly #release: Coalescer<ReleaseRequest, boolean>
  readonly #releasing = new Set<Promise<unknown>>()
  /** Resolves when the large batch that the store is deciding is decided, or has had its time; undefined when there is none. */
  #deciding: Promise<void> | undefined

  constructor({ provider, clock, timeout, onReading, gatherReleases = false }: StoreOptions) {
    this.#provider = provider
    this.clock = clock
    this.timeout = timeout
    this.deadlines = new Deadlines(clock)
    this.#onReading = onReading
    this.#acquire = new Coalescer((batch, tell) => this.#sendAcquire(batch, tell))
    this.#extend = new Coalescer((batch) => this.#send('extend', batch, () => provider.extend(batch), timeOfLease))
    this.#release = new Coalescer(
      (batch) => this.#sendRelease(batch),
      () => this.#deciding ?? (gatherReleases ? afterTimers() : undefined),
    )
  }

  /** Not bounded in time: an acquisition wants also the answer that comes late. See {@link Store.within}. */
  acquire(request: AcquireRequest): Promise<AcquireResult> {
    return this.#acquire.call(request)
  }

  /** As many calls as there are requests, with one promise for all of them; some answers may be told before. Not bounded in time. */
  acquireAll(requests: readonly AcquireRequest[], tell?: Tell<AcquireResult>): Promise<readonly AcquireResult[]> {
    return this.#acquire.callAll(requests, tell)
  }

  /** Not bounded in time, see {@link Store.within}. */
  extend(request: ExtendRequest): Promise<Lease | undefined> {
    return this.#extend.call(request)
  }

  release(request: ReleaseRequest): Promise<boolean> {
    return this.#release.call(request)
  }

  async read(names: readonly string[]): Promise<readonly LockRecord[]> {
    const sentAt = this.clock.monotonic()
    const what = aboutAll(
      'read',
      names.map((name) => ({ name })),
    )
    const records = await this.within(
      this.timeout,
      what,
      this.#call(what, () => this.#provider.read(names)),
    )
    this.#read(sentAt, records[0]?.storeTime)
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
    const answer = this.#call(what, async () => provider.setPaused?.(request))
    return (await this.within(this.timeout, what, answer)) === true
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

  /** Resolves when what has been asked to be released so far is, or that has failed. */
  async released(): Promise<void> {
    await this.#deciding
    await afterTimers()
    await Promise.allSettled(this.#releasing)
  }

  /** One deadline for a batch, in place of one for each of thousands of locks. */
  async #sendRelease(batch: readonly ReleaseRequest[]): Promise<readonly boolean[]> {
    const answers = this.#send('release', batch, () => this.#provider.release(batch))
    const bounded = this.within(this.timeout, aboutAll('release', batch), answers)
    this.#releasing.add(bounded)
    try {
      return await bounded
    } finally {
      this.#releasing.delete(bounded)
    }
  }

  /** The first answer that is told brings the store's clock. */
  async #sendAcquire(batch: readonly AcquireRequest[], tell: Tell<AcquireResult>): Promise<readonly AcquireResult[]> {
    const sentAt = this.clock.monotonic()
    let told = false
    const early: Tell<AcquireResult> = (index, result) => {
      if (!told) this.#read(sentAt, timeOf(result))
      told = true
      tell(index, result)
    }
    const answers = this.#send('acquire', batch, () => this.#provider.acquire(batch, early), timeOf)
    if (batch.length >= LARGE) this.#goesFirst(answers)
    return await answers
  }

  /** What is begun early and ends soon is released after the rest is decided: both the store and this process have that to do first. */
  #goesFirst(answers: Promise<unknown>): void {
    const deciding = new Promise<void>((resolve) => {
      const over = (): void => {
        timer.cancel()
        if (this.#deciding === deciding) this.#deciding = undefined
        resolve()
      }
      const timer = setDeadline(this.clock, this.clock.monotonic() + GOES_FIRST_FOR, over, { background: true })
      answers.then(over, over)
    })
    this.#deciding = deciding
  }

  /** Sends a batch. The first answer that has it brings the store's clock: they are all of the same time. */
  async #send<Request extends { readonly name: string }, Result>(
    verb: Verb,
    batch: readonly Request[],
    send: () => Promise<readonly Result[]>,
    timeOf?: (result: Result) => number | undefined,
  ): Promise<readonly Result[]> {
    const sentAt = this.clock.monotonic()
    const results = await this.#call(aboutAll(verb, batch), send)
    if (results.length !== batch.length) {
      const answered = `the provider answered ${results.length} results to ${batch.length} requests`
      throw new StoreError(`could not ${aboutAll(verb, batch)()}: ${answered}`)
    }
    const told = timeOf && results.find((result) => timeOf(result) !== undefined)
    if (told !== undefined) this.#read(sentAt, timeOf?.(told))
    return results
  }

  async #call<T>(what: What, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw toStoreError(what(), error)
    }
  }

  #read(sentAt: number, storeTime: number | undefined): void {
    if (storeTime !== undefined) this.#onReading?.({ storeTime, sentAt, receivedAt: this.clock.monotonic() })
  }
}

const timeOf = (result: AcquireResult): number => (result.granted ? result.lease.storeTime : result.storeTime)
const timeOfLease = (lease: Lease | undefined): number | undefined => lease?.storeTime

function toStoreError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const why = error instanceof Error && error.message ? error.message : String(error)
  return new StoreError(`could not ${what}: ${why}`, { cause: error })
}
