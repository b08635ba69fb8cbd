import { type Clock, setDeadline, type Timer } from '../clock.ts'

/** Who is notified of a deadline. */
export interface Watcher {
  /** The deadline has passed. */
  lapsed(): void
  /** The deadline has passed if this machine was suspended, which is not known. */
  doubted(): void
}

/** The wall clock has run ahead of the monotonic clock by more than this, in ms: it was set, or the machine was suspended. */
const JUMP = 500
/** The clocks are compared this often while there are deadlines, in ms. */
const COMPARE_EVERY = 1_000

interface Watched {
  readonly watchers: Set<Watcher>
  readonly timer: Timer
}

/**
 * Watches deadlines of the monotonic clock. Those within the same millisecond share one timer: the locks of a batch have one deadline, and
 * thousands of timers are dear to make, to keep and to drop.
 *
 * The monotonic clock stands still while the machine is suspended, so a lease may be over though its deadline has not passed. The wall
 * clock shows that on waking, but it may also have been set. So watchers whose deadline would have passed are to ask the store.
 *
 * A watcher is told at the end of the millisecond in which its deadline lies, as by any timer, which counts in whole milliseconds. No timer keeps the process alive.
 */
export class Deadlines {
  readonly #clock: Clock
  /** By the millisecond. */
  readonly #watched = new Map<number, Watched>()
  #wallAhead: number
  #comparing: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wallAhead = wallAheadOf(clock)
  }

  /** Tells the watcher once, unless it is taken back before. */
  watch(deadline: number, watcher: Watcher): void {
    const end = Math.ceil(deadline)
    const { watchers } = this.#watched.get(end) ?? this.#begin(end)
    watchers.add(watcher)
    if (!this.#comparing) this.#compareLater()
  }

  /** Compares the clocks now, and not only at the next time. */
  compare(): void {
    const wallAhead = wallAheadOf(this.#clock)
    const jump = wallAhead - this.#wallAhead
    this.#wallAhead = wallAhead
    if (jump <= JUMP) return
    const now = this.#clock.monotonic()
    for (const [end, { watchers }] of this.#watched)
      if (end - jump <= now) for (const watcher of watchers) watcher.doubted()
  }

  #compareLater(): void {
    this.#wallAhead = wallAheadOf(this.#clock)
    const compare = (): void => {
      this.#comparing = undefined
      this.compare()
      if (this.#watched.size > 0) this.#compareLater()
    }
    this.#comparing = this.#clock.setTimer(COMPARE_EVERY, compare, { background: true })
  }

  /** Takes back what was to be told for this deadline. Harmless when it was told, or never asked for. */
  unwatch(deadline: number, watcher: Watcher): void {
    const end = Math.ceil(deadline)
    const watched = this.#watched.get(end)
    if (!watched?.watchers.delete(watcher) || watched.watchers.size > 0) return
    watched.timer.cancel()
    this.#watched.delete(end)
    if (this.#watched.size > 0) return
    this.#comparing?.cancel()
    this.#comparing = undefined
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

const wallAheadOf = (clock: Clock): number => clock.now() - clock.monotonic()
