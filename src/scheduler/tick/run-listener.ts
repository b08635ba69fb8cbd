import type { LockLostError } from '../../errors.ts'
import type { Lock, LossListener } from '../../lock/lock.ts'
import type { KeepAliveListener } from '../../locker/keep-alive.ts'
import type { EndListener } from '../../locker/release.ts'
import { type Engine, factsOf, type RunUnderWay, type Tick, tellStoreError } from '../scheduler-context.ts'

/**
 * Tells what becomes of the lock of a run. One object for all of it and no functions of its own: the jobs of a company begin in the
 * same second, and what each of them keeps until its lock is given back is kept thousands of times.
 */
export class RunListener implements LossListener, KeepAliveListener, EndListener {
  /** The work ended in time; if the store can't be told so, nobody is hurt by the lapse. */
  ended = false
  readonly #engine: Engine
  readonly #tick: Tick
  readonly #lock: Lock
  readonly #run: RunUnderWay

  constructor(engine: Engine, tick: Tick, lock: Lock, run: RunUnderWay) {
    this.#engine = engine
    this.#tick = tick
    this.#lock = lock
    this.#run = run
  }

  acquired(): void {
    this.#engine.events.emit('acquired', () => ({ ...this.#held(), waited: this.#lock.waited }))
  }

  lost(error: LockLostError): void {
    if (this.ended) return
    this.#engine.events.emit('lost', () => ({ ...this.#held(), error }))
    this.#run.abort(error)
  }

  extended(): void {
    this.#engine.events.emit('extended', () => this.#held())
  }

  notExtended(lock: Lock, error: unknown): void {
    tellStoreError(this.#engine, 'extend', lock.name, error)
  }

  released(): void {
    this.#engine.events.emit('released', () => this.#held())
  }

  notReleased(lock: Lock, error: unknown): void {
    tellStoreError(this.#engine, 'release', lock.name, error)
  }

  retrying(settled: Promise<void>): void {
    this.#engine.track(settled)
  }

  #held() {
    return { ...factsOf(this.#tick), fencingToken: this.#lock.fencingToken }
  }
}
