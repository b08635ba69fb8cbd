import type { Timer } from '../clock.ts'
import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError, isLockNotHeld, LockLostError, LockNotHeldError } from '../errors.ts'
import type { AcquireRequest, FenceRequest, FenceResult, TransactionSupport } from '../provider/contract.ts'
import { holderOf, releasedHolderOf } from '../provider/holder.ts'
import { isUnreadable } from '../provider/record.ts'
import type { Grant } from './acquisition.ts'
import type { Moment } from './clock-jumps.ts'
import type { ProviderClient } from './provider-client.ts'
import type { ReleaseListener } from './release-retries.ts'
import { about } from './store-errors.ts'

export interface LockDetails {
  readonly request: AcquireRequest
  /** In ms. */
  readonly lockAtLeastFor: number
  /** In ms. */
  readonly waited: number
}

/** Who is notified when a lease is lost. */
export interface LossListener {
  lost(error: LockLostError): void
}

/**
 * A lease in the hands of this process. Made by `Locker.obtain`.
 *
 * It knows by itself when it is lost: its deadline counts on the monotonic clock from before the request was sent, so it passes
 * here before the lease ends in the store, whatever any wall clock says.
 */
export class Lock implements AsyncDisposable {
  /** The lock's name. */
  readonly name: string
  /** The owner: a random id made for this acquisition. */
  readonly owner: string
  /** Grows by every grant of this name. Hand it to what the work writes to, and refuse writes with a smaller one there. */
  readonly fencingToken: number
  /** The string given at `obtain`. */
  readonly metadata: string | undefined
  /** The tick given at `obtain`. Undefined for a lock without a tick. */
  readonly tick: Date | undefined
  /** When the lock was granted, by the store's clock. */
  readonly acquiredAt: Date
  /** The lease's length as requested at `obtain`, in ms. */
  readonly lockAtMostFor: number
  /** The time from the first request to the grant, in ms. */
  readonly waited: number

  readonly #store: ProviderClient
  readonly #terms: LockDetails
  #state: 'held' | 'released' | 'lost' = 'held'
  #deadline: number
  #controller: AbortController | undefined
  #lostBecause: LockLostError | undefined
  #lossListener: LossListener | undefined
  #lastRefresh: Promise<unknown> | undefined
  #releasing: Promise<void> | undefined
  #doubted = false
  /** Whether a transaction has completed the run, which may have been rolled back. */
  #mayBeCompleted = false

  /** @internal */
  constructor(store: ProviderClient, terms: LockDetails, { lease, deadline, sent }: Grant) {
    this.name = lease.name
    this.owner = lease.owner
    this.fencingToken = lease.fencingToken
    this.metadata = terms.request.metadata
    this.tick = terms.request.tick === undefined ? undefined : new Date(terms.request.tick)
    this.acquiredAt = new Date(lease.acquiredAt)
    this.lockAtMostFor = terms.request.lockAtMostFor
    this.waited = terms.waited
    this.#store = store
    this.#terms = terms
    this.#deadline = deadline
    store.deadlines.watch(deadline, this, sent)
  }

  /**
   * Aborts with {@link LockLostError} as soon as the lease is lost: its deadline passed, or an extension was refused. Does not abort on
   * release.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#lostBecause) this.#controller.abort(this.#lostBecause)
    return this.#controller.signal
  }

  /**
   * Whether the lease may be relied on right now, by what is known here, without a request to the store. Also false while the store has yet to
   * confirm that the lease outlived a suspension of this machine.
   */
  get held(): boolean {
    if (this.#state === 'held') this.#store.deadlines.compare()
    return this.#unexpired && !this.#doubted
  }

  get #unexpired(): boolean {
    return this.#state === 'held' && this.#store.clock.monotonic() < this.#deadline
  }

  /** The error with which the lease was lost, if it was. */
  get lost(): LockLostError | undefined {
    return this.#lostBecause
  }

  /** How many ms are left until the lease is lost, by what is known here, without a request to the store. */
  get remaining(): number {
    return this.#unexpired ? this.#deadline - this.#store.clock.monotonic() : 0
  }

  /**
   * Notifies the listener once, when the lease is lost. Costs less than {@link Lock.signal}.
   * @internal
   */
  onLost(listener: LossListener): void {
    this.#lossListener = listener
  }

  /**
   * The lease's deadline has passed.
   * @internal
   */
  expired(): void {
    this.#lose('its lease expired')
  }

  /**
   * This machine may have been suspended past the deadline.
   * @internal
   */
  doubted(): void {
    if (this.#state !== 'held' || this.#doubted) return
    this.#doubted = true
    void this.#inOrder(() => this.#confirm())
  }

  /**
   * How many ms the lease has left, by the store's clock; 0 when it expired, was taken over, or was released.
   *
   * @throws {StoreError} when the store failed.
   */
  async ttl(): Promise<number> {
    if (this.#state === 'released') return 0
    const record = (await this.#store.read([this.name]))[0]
    if (record && isUnreadable(record)) throw record.unreadable
    if (!record || record.lockedBy !== holderOf(this.#terms.request)) return 0
    return Math.max(0, record.lockUntil - record.storeTime)
  }

  /**
   * Extends the lease to now plus `duration` by the store's clock (default: its length at `obtain`), though never to less than
   * `lockAtLeastFor` from the acquisition.
   *
   * @throws {LockNotHeldError} when the lease is over. Nothing was changed then, and the signal has aborted.
   * @throws {StoreError} when the store failed. The lease stays valid until its deadline; refresh again.
   */
  refresh(duration: Duration = this.lockAtMostFor): Promise<void> {
    const lockAtMostFor = parseDuration(duration, {
      of: `lock ${JSON.stringify(this.name)}`,
      option: 'duration',
      min: 1,
    })
    return this.#inOrder(() => this.#refresh(lockAtMostFor, this.#store.timeout))
  }

  /**
   * As {@link Lock.refresh}, for its length at `obtain`, but waits for no longer than `timeout` ms.
   * @internal
   */
  renew(timeout: number): Promise<void> {
    return this.#inOrder(() => this.#refresh(this.lockAtMostFor, Math.min(timeout, this.#store.timeout)))
  }

  /**
   * Calls back in about `ms` milliseconds, together with other locks of this store.
   * @internal
   */
  setRenewal(ms: number, renew: () => void): Timer {
    return this.#store.renewalTimers.set(ms, renew)
  }

  /**
   * Releases the lock. It is free at once, or when `lockAtLeastFor` from the acquisition has passed. A second call does nothing.
   *
   * @throws {LockNotHeldError} when the lease had expired or was taken over. If nobody took the lock over, the tick is marked as done
   * all the same.
   * @throws {StoreError} when the store failed. Call it again, or let the lease expire.
   */
  release(): Promise<void> {
    this.#releasing ??= this.#release()
    return this.#releasing
  }

  /**
   * Retries a release that the store did not confirm. Resolves when the lock is released or its lease is over.
   * @internal
   */
  retryRelease(listener: ReleaseListener): Promise<void> {
    return this.#store.releaseRetries.add(this, listener)
  }

  /**
   * Completes the run within your own transaction, in the database that keeps the locks: marks its tick as done and
   * releases the lock, `lockAtLeastFor` kept, when and only when the transaction commits. So what else the transaction
   * writes takes effect once, however often the run is started with `onCrash: 'rerun'`. Nobody can take the lock over
   * until the transaction ends. After a rollback the lock is held as before.
   *
   * @param transaction what the transaction's statements are sent over: a client of `pg`, a connection of `mysql2`, a database of SQLite, a
   * session of `mongodb`, or a transaction of a library that `ticklock/clients` knows.
   * @throws {LockLostError} when another owner was granted the lock: let the transaction roll back.
   * @throws {LockNotHeldError} when the lock was released, or the run completed, before: also by a transaction whose commit was not confirmed,
   * and that is now repeated.
   * @throws {InvalidOptionError} for a provider without transactions, for one that isn't open, and for a database without this lock.
   * @throws the driver's own error when a statement failed, so that your code can repeat a transaction that met a deadlock.
   */
  async complete(transaction: object): Promise<void> {
    const { lockAtLeastFor } = this.#terms
    await this.#inTransaction('complete', (transactions) =>
      transactions.complete(transaction, { ...this.#grant, lockAtLeastFor }),
    )
    this.#mayBeCompleted = true
  }

  /**
   * Checks within your own transaction, in the database that keeps the locks, that no later owner exists, and keeps
   * others from taking the lock over until the transaction ends. For runs of several transactions; the last one
   * completes. While a transaction has fenced, the lease can't be renewed: keep it shorter than the lease.
   *
   * @param transaction as in {@link Lock.complete}, and so are the errors.
   */
  async fence(transaction: object): Promise<void> {
    await this.#inTransaction('fence', (transactions) => transactions.fence(transaction, this.#grant))
  }

  /** Releases; does nothing when the lease is over already. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.release()
    } catch (error) {
      if (!isLockNotHeld(error)) throw error
    }
  }

  get #grant(): FenceRequest {
    const { name, owner, label, tick } = this.#terms.request
    return { name, owner, label, tick, fencingToken: this.fencingToken }
  }

  async #inTransaction(
    verb: 'complete' | 'fence',
    send: (transactions: TransactionSupport) => Promise<FenceResult>,
  ): Promise<void> {
    const of = `lock ${JSON.stringify(this.name)}: ${verb}`
    const { transactions } = this.#store
    if (!transactions) {
      throw new InvalidOptionError(
        `${of}: this provider can't join a transaction; those of PostgreSQL, MySQL, MariaDB, SQLite and MongoDB can`,
      )
    }
    if (this.#state === 'released' || this.#releasing) throw new LockNotHeldError(this.name, 'it was released')
    const result = await send(transactions)
    if (result === 'done') return
    if (result === 'completed') throw new LockNotHeldError(this.name, 'its run was completed before')
    if (result === 'lost') {
      this.#lose('another owner was granted the lock')
      throw this.#lostBecause ?? new LockLostError(this.name, 'another owner was granted the lock')
    }
    throw new InvalidOptionError(
      result === 'no-transaction'
        ? `${of}: no transaction is open there, so what was written takes effect without it; begin one`
        : `${of}: the database of this transaction has no record of the lock, so it is not the one that keeps the locks; for another database use the fencing token`,
    )
  }

  /** One after another: of two that overtake each other, the deadline here could be later than the lease's end in the store. */
  #inOrder(refresh: () => Promise<void>): Promise<void> {
    const refreshed = (this.#lastRefresh ?? Promise.resolve()).then(refresh)
    this.#lastRefresh = refreshed.catch(() => {})
    return refreshed
  }

  async #refresh(lockAtMostFor: number, longest: number): Promise<void> {
    const store = this.#store
    const sent = store.deadlines.now()
    const sentAt = sent.monotonic
    if (!this.#unexpired) throw this.#notHeld()
    const timeout = Math.min(longest, this.#deadline - sentAt)
    const shortens = sentAt + lockAtMostFor < this.#deadline
    const mayShortenUntil = shortens ? await this.#storeTimeIn(timeout) : undefined
    // The shorter deadline counts before the response: if that is lost, the store may have shortened the lease.
    if (shortens) this.#moveDeadline(sent, lockAtMostFor)
    const { name, owner, label } = this.#terms.request
    const { lockAtLeastFor } = this.#terms
    const extension = store.extend({ name, owner, label, lockAtMostFor, lockAtLeastFor, mayShortenUntil }, timeout)
    let isLate = false
    extension.then(
      (lease) => {
        if (lease && this.#state === 'lost') this.#releaseRevived()
        // Nobody waits for it any more, but what it says is true.
        if (!lease && isLate && !this.#releasing) void this.#refused().catch(() => {})
      },
      () => {},
    )
    const lease = await store.within(timeout, about('extend', name), extension).catch((error) => {
      isLate = true
      throw error
    })
    if (!lease) await this.#refused()
    else this.#moveDeadline(sent, lease.lockUntil - lease.storeTime)
    if (!this.#unexpired) throw this.#notHeld()
  }

  /** The store says that this owner has no unexpired lease. */
  async #refused(): Promise<void> {
    if (this.#mayBeCompleted && (await this.#isReleased())) this.#end()
    else this.#lose('by the store its lease has expired, or another owner has it')
  }

  /**
   * What the store's clock will show at the earliest when `ms` milliseconds have passed here. By then the request that may shorten
   * the lease has been given up, and must not be applied any more: a later refresh may have been granted more.
   */
  async #storeTimeIn(ms: number): Promise<number> {
    const storeTime = (await this.#store.read([this.name]))[0]?.storeTime
    return storeTime === undefined ? 0 : storeTime + ms
  }

  /** Has the store confirm that the lease outlived a suspension, by an extension that lengthens nothing. */
  async #confirm(): Promise<void> {
    const { name, owner, label } = this.#terms.request
    const store = this.#store
    const sent = store.deadlines.now()
    try {
      const extension = store.extend({ name, owner, label, lockAtMostFor: 1, lockAtLeastFor: 0 })
      const lease = await store.within(store.timeout, about('extend', name), extension)
      if (!lease) return this.#lose('its lease expired while this machine was suspended')
      this.#doubted = false
      this.#moveDeadline(sent, lease.lockUntil - lease.storeTime)
    } catch {
      this.#lose('this machine was suspended or its clock was set, and the store did not confirm the lease')
    }
  }

  /** Releases a lease that was extended after it had been lost here: nobody uses it. Marks no tick as done. */
  #releaseRevived(): void {
    const { name, owner, label } = this.#terms.request
    this.#store.release({ name, owner, label, lockAtLeastFor: this.#terms.lockAtLeastFor }).catch(() => {})
  }

  #release(): Promise<void> {
    const { name, owner, label, tick } = this.#terms.request
    const { lockAtLeastFor } = this.#terms
    return this.#store.release({ name, owner, label, lockAtLeastFor, tick }).then(
      (freed) => this.#released(freed),
      (error) => {
        // The caller may retry after a failure. After a refusal the result would stay the same.
        this.#releasing = undefined
        throw error
      },
    )
  }

  #released(freed: boolean): void {
    if (!freed) {
      this.#lose('its lease had expired, or another owner had taken the lock, before it was released')
      throw this.#notHeld()
    }
    this.#end()
  }

  #end(): void {
    this.#store.deadlines.unwatch(this.#deadline, this)
    if (this.#state === 'held') this.#state = 'released'
  }

  /** Whether the store says that this owner has released the lock. */
  async #isReleased(): Promise<boolean> {
    const [record] = await this.#store.read([this.name])
    return record !== undefined && !isUnreadable(record) && record.lockedBy === releasedHolderOf(this.#terms.request)
  }

  #notHeld(): LockNotHeldError {
    if (this.#state === 'released') return new LockNotHeldError(this.name, 'it was released')
    this.#lose('its lease expired')
    return new LockNotHeldError(this.name, 'its lease was lost before', { cause: this.#lostBecause })
  }

  /** The lease ends so many ms after this moment. */
  #moveDeadline(since: Moment, ms: number): void {
    if (this.#state !== 'held') return
    const { deadlines } = this.#store
    deadlines.unwatch(this.#deadline, this)
    this.#deadline = since.monotonic + ms
    deadlines.watch(this.#deadline, this, since)
  }

  #lose(why: string): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#store.deadlines.unwatch(this.#deadline, this)
    this.#lostBecause = new LockLostError(this.name, why)
    this.#controller?.abort(this.#lostBecause)
    this.#lossListener?.lost(this.#lostBecause)
  }
}
