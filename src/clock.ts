import { performance } from 'node:perf_hooks'
import { onAbort } from './abort.ts'

/** A timer that was set and can be taken back. */
export interface Timer {
  /** Takes the timer back. Harmless when it has fired or was cancelled before. */
  cancel(): void
}

/**
 * Where time comes from. The wall clock says which tick it is and may jump; the monotonic clock says how long something
 * took and never does. Tests and the simulation bring their own.
 */
export interface Clock {
  /** Milliseconds since the epoch, by this machine's wall clock. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back, whatever is done to the wall clock. */
  monotonic(): number
  /**
   * Calls back once, after at least `ms` milliseconds. A `background` timer does not keep the process alive.
   * Not to be called with more than {@link LONGEST_TIMER}.
   */
  setTimer(ms: number, callback: () => void, options?: { readonly background?: boolean }): Timer
}

/**
 * No timer is armed for longer (30 s): `setTimeout` overflows at 2^31 ms, and the timers of a machine that was suspended
 * fire late by as long as it slept. Whoever waits longer looks at the clock again and goes on waiting.
 */
export const LONGEST_TIMER = 30_000

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, callback, options) {
    const handle = setTimeout(callback, Math.max(0, Math.ceil(ms)))
    if (options?.background) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

/**
 * Calls back when the monotonic clock has reached `deadline`, however far off that is.
 */
export function setDeadline(
  clock: Clock,
  deadline: number,
  callback: () => void,
  options?: { readonly background?: boolean },
): Timer {
  let timer: Timer
  const arm = (): void => {
    const left = deadline - clock.monotonic()
    timer = clock.setTimer(Math.min(Math.max(left, 0), LONGEST_TIMER), left > LONGEST_TIMER ? arm : check, options)
  }
  // A timer may fire a fraction of a millisecond early.
  const check = (): void => (clock.monotonic() >= deadline ? callback() : arm())
  arm()
  return { cancel: () => timer.cancel() }
}

/** The result, or a rejection with the error that `late` makes when the result has not come after `ms` milliseconds. */
export function within<T>(
  clock: Clock,
  ms: number,
  result: PromiseLike<T>,
  late: () => Error,
  options?: { readonly background?: boolean },
): Promise<T> {
  // By hand: Promise.race and finally take six promises for each of thousands of requests.
  return new Promise((resolve, reject) => {
    // A timeout may be longer than any timer.
    const timer = setDeadline(clock, clock.monotonic() + ms, () => reject(late()), options)
    result.then(
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

/** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
export function sleep(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
  options?: { readonly background?: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setDeadline(
      clock,
      clock.monotonic() + ms,
      () => {
        forget?.()
        resolve()
      },
      options,
    )
    const forget =
      signal &&
      onAbort(signal, () => {
        timer.cancel()
        reject(signal.reason)
      })
  })
}
