import { type Clock, setDeadline, type Timer } from '../clock.ts'

/** Timers that end so close to each other, as a share of their length, are one. */
const TOLERANCE = 1 / 20

interface Shared {
  readonly at: number
  readonly callbacks: Set<() => void>
  readonly timer: Timer
}

/** Timers shared by all whose time comes at about the same moment: what their callbacks send goes out as one batch. */
export class SharedTimers {
  readonly #clock: Clock
  /** By the beginning of the span in which they end. */
  readonly #shared = new Map<number, Shared>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Calls back once after `ms` milliseconds, up to a twentieth of that sooner or later. Does not keep the process
   * alive.
   */
  set(ms: number, callback: () => void): Timer {
    const at = this.#clock.monotonic() + ms
    const tolerance = ms * TOLERANCE
    const span = Math.floor(at / tolerance) * tolerance
    const known = this.#shared.get(span)
    const shared = known && Math.abs(known.at - at) <= tolerance ? known : this.#begin(span, at)
    shared.callbacks.add(callback)
    return { cancel: () => this.#cancel(span, shared, callback) }
  }

  #begin(span: number, at: number): Shared {
    const callbacks = new Set<() => void>()
    const fire = (): void => {
      this.#forget(span, shared)
      for (const callback of callbacks) callback()
    }
    const shared: Shared = { at, callbacks, timer: setDeadline(this.#clock, at, fire, { background: true }) }
    this.#shared.set(span, shared)
    return shared
  }

  #cancel(span: number, shared: Shared, callback: () => void): void {
    shared.callbacks.delete(callback)
    if (shared.callbacks.size > 0) return
    shared.timer.cancel()
    this.#forget(span, shared)
  }

  #forget(span: number, shared: Shared): void {
    if (this.#shared.get(span) === shared) this.#shared.delete(span)
  }
}
