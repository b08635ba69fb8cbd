import { type Clock, setDeadline, type Timer } from '../clock.ts'

/** Who is told that a deadline has passed. */
export interface Watcher {
  lapsed(): void
}

interface Watched {
  readonly watchers: Set<Watcher>
  readonly timer: Timer
}

/**
 * Watches deadlines of the monotonic clock. Those within the same millisecond share one timer: the locks of a batch have one deadline, and
 * thousands of timers are dear to make, to keep and to drop.
 *
 * A watcher is told at the end of the millisecond in which its deadline lies, as by any timer, which counts in whole milliseconds. No timer keeps the process alive.
 */
export class Deadlines {
  readonly #clock: Clock
  /** By the millisecond. */
  readonly #watched = new Map<number, Watched>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Tells the watcher once, unless it is taken back before. */
  watch(deadline: number, watcher: Watcher): void {
    const end = Math.ceil(deadline)
    const { watchers } = this.#watched.get(end) ?? this.#begin(end)
    watchers.add(watcher)
  }

  /** Takes back what was to be told for this deadline. Harmless when it was told, or never asked for. */
  unwatch(deadline: number, watcher: Watcher): void {
    const end = Math.ceil(deadline)
    const watched = this.#watched.get(end)
    if (!watched?.watchers.delete(watcher) || watched.watchers.size > 0) return
    watched.timer.cancel()
    this.#watched.delete(end)
  }

  #begin(end: number): Watched {
    const watchers = new Set<Watcher>()
    const passed = (): void => {
      this.#watched.delete(end)
      for (const watcher of watchers) watcher.lapsed()
    }
    const watched = { watchers, timer: setDeadline(this.#clock, end, passed, { background: true }) }
    this.#watched.set(end, watched)
    return watched
  }
}
