import { type Clock, setDeadline, type Timer } from '../clock.ts'
import type { ClockJumps, Moment } from './clock-jumps.ts'

/** Who is notified of a deadline. */
export interface Watcher {
  /** The deadline has passed. */
  expired(): void
  /** The deadline has passed if this machine was suspended, which is not known. */
  doubted(): void
}

/** The clocks are compared this often while there are deadlines, in ms. */
const COMPARE_EVERY = 1_000

interface Watched {
  readonly watchers: Set<Watcher>
  readonly timer: Timer
}

interface Doubt {
  readonly at: number
  readonly timer: Timer
}

/**
 * Watches deadlines of the monotonic clock. Those within the same millisecond share one timer: the locks of a batch have one deadline, and
 * thousands of timers cost much to make, to keep and to drop.
 *
 * The monotonic clock stands still while the machine is suspended, so a lease may be over though its deadline has not
 * passed. A jump of the wall clock shows that on waking, but it may also have been set. So a watcher whose deadline
 * would have passed, had the jump been time that passed, is to ask the store: now, or later when that earlier deadline
 * comes.
 *
 * A watcher is told at the end of the millisecond in which its deadline lies, as by any timer, which counts in whole milliseconds. No timer keeps the process alive.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #jumps: ClockJumps
  /** By the millisecond. */
  readonly #watched = new Map<number, Watched>()
  readonly #doubts = new Map<Watcher, Doubt>()
  /** By how much the wall clock had jumped ahead when the clocks were compared last. */
  #jumped = 0
  #comparing: Timer | undefined

  constructor(clock: Clock, jumps: ClockJumps) {
    this.#clock = clock
    this.#jumps = jumps
    this.#jumped = jumps.now().jumped
  }

  /** The present, from which the length of a lease may count. */
  now(): Moment {
    return this.compare()
  }

  /** Whether so many ms may have passed since then: by the monotonic clock, or while the machine was suspended. */
  mayHavePassed(since: Moment, ms: number): boolean {
    const { monotonic, jumped } = this.now()
    return monotonic - since.monotonic + jumped - since.jumped >= ms
  }

  /** Tells the watcher once, unless it is taken back before. The lease until the deadline counts from `since`. */
  watch(deadline: number, watcher: Watcher, since = this.now()): void {
    const end = Math.ceil(deadline)
    this.compare()
    const { watchers } = this.#watched.get(end) ?? this.#begin(end)
    watchers.add(watcher)
    if (!this.#comparing) this.#compareLater()
    if (this.#jumped > since.jumped) this.#doubtAt(watcher, end - (this.#jumped - since.jumped))
  }

  /** Compares the clocks now, and not only at the next time. */
  compare(): Moment {
    const now = this.#jumps.now()
    const jump = now.jumped - this.#jumped
    this.#jumped = now.jumped
    if (jump > 0)
      for (const [end, { watchers }] of this.#watched)
        for (const watcher of watchers) this.#doubtAt(watcher, (this.#doubts.get(watcher)?.at ?? end) - jump)
    for (const [watcher, { at }] of this.#doubts) if (at <= now.monotonic) this.#doubt(watcher)
    return now
  }

  #compareLater(): void {
    const compare = (): void => {
      this.#comparing = undefined
      this.compare()
      if (this.#watched.size > 0) this.#compareLater()
    }
    this.#comparing = this.#clock.setTimer(COMPARE_EVERY, compare, { background: true })
  }

  /** Takes back what was to be told for this deadline. Harmless when it was called, or never watched. */
  unwatch(deadline: number, watcher: Watcher): void {
    const end = Math.ceil(deadline)
    const watched = this.#watched.get(end)
    if (!watched?.watchers.delete(watcher)) return
    this.#endDoubt(watcher)
    if (watched.watchers.size > 0) return
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
      for (const watcher of watchers) this.#endDoubt(watcher)
      for (const watcher of watchers) watcher.expired()
    }
    const watched = { watchers, timer: setDeadline(this.#clock, end, passed, { background: true }) }
    this.#watched.set(end, watched)
    return watched
  }

  #doubtAt(watcher: Watcher, at: number): void {
    this.#endDoubt(watcher)
    const timer = setDeadline(this.#clock, at, () => this.#doubt(watcher), { background: true })
    this.#doubts.set(watcher, { at, timer })
    if (at <= this.#clock.monotonic()) this.#doubt(watcher)
  }

  #doubt(watcher: Watcher): void {
    this.#endDoubt(watcher)
    watcher.doubted()
  }

  #endDoubt(watcher: Watcher): void {
    this.#doubts.get(watcher)?.timer.cancel()
    this.#doubts.delete(watcher)
  }
}
