import type { LockLostError } from '../../errors.ts'
import type { Lock, LossListener } from '../../lock/lock.ts'
import type { KeepAliveListener } from '../../locker/keep-alive.ts'
import type { EndListener } from '../../locker/release.ts'
import { type ActiveRun, emitStoreError, type SchedulerContext } from '../scheduler-context.ts'
import { jobEvent, type Tick } from './tick.ts'

/**
 * Emits what happens to the lock of a run. Thousands of runs may start together, so it is one object without functions
 * of its own.
 */
export class RunListener implements LossListener, KeepAliveListener, EndListener {
  /** The work ended in time. An expiry of its lease harms nobody from then on. */
  ended = false
  readonly #context: SchedulerContext
  readonly #tick: Tick
  readonly #lock: Lock
  readonly #run: ActiveRun

  constructor(context: SchedulerContext, tick: Tick, lock: Lock, run: ActiveRun) {
    this.#context = context
    this.#tick = tick
    this.#lock = lock
    this.#run = run
  }

  acquired(): void {
    this.#context.events.emit('acquired', () => ({ ...this.#held(), waited: this.#lock.waited }))
  }

  lost(error: LockLostError): void {
    if (this.ended) return
    this.#context.events.emit('lost', () => ({ ...this.#held(), error }))
    this.#run.abort(error)
  }

  extended(): void {
    this.#context.events.emit('extended', () => this.#held())
  }

  notExtended(lock: Lock, error: unknown): void {
    emitStoreError(this.#context, 'extend', lock.name, error)
  }

  released(): void {
    this.#context.events.emit('released', () => this.#held())
  }

  notReleased(lock: Lock, error: unknown): void {
    emitStoreError(this.#context, 'release', lock.name, error)
  }

  retrying(settled: Promise<void>): void {
    this.#context.track(settled)
  }

  #held() {
    return { ...jobEvent(this.#tick), fencingToken: this.#lock.fencingToken }
  }
}
