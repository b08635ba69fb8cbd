import { type Clock, setDeadline, type Timer } from '../clock.ts'

/** Who is notified of a deadline. */
export interface Watcher {
  /** The deadline has passed. */
  expired(): void
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

/** A moment from which the length of a lease counts. */
export interface Moment {
  /** By the monotonic clock, in ms. */
  readonly monotonic: number
  /** By how many ms the wall clock had jumped ahead of the monotonic clock until then. */
  readonly jumped: number
}

interface Doubt {
  readonly at: number
  readonly timer: Timer
}

/**
 * Watches deadlines of the monotonic clock. Those within the same millisecond share one timer: the locks of a batch have one deadline, and
 * thousands of timers cost much to make, to keep and to drop.
 *
 * The monotonic clock stands still while the machine is suspended, so a lease may be over though its deadline has not passed. The wall
 * clock shows that on waking, but it may also have been set. So a watcher whose deadline would have passed, had the jump been time that
 * passed, is to ask the store: now, or later when that earlier deadline comes.
 *
 * A watcher is told at the end of the millisecond in which its deadline lies, as by any timer, which counts in whole milliseconds. No timer keeps the process alive.
 */
export class Deadlines {
  readonly #clock: Clock
  /** By the millisecond. */
  readonly #watched = new Map<number, Watched>()
  readonly #doubts = new Map<Watcher, Doubt>()
  #wallAhead: number
  #jumped = 0
  #comparing: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wallAhead = wallAheadOf(clock)
  }

  /** The present, from which the length of a lease may count. */
  now(): Moment {
    this.compare()
    return { monotonic: this.#clock.monotonic(), jumped: this.#jumped }
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
  compare(): void {
    const jump = wallAheadOf(this.#clock) - this.#wallAhead
    if (Math.abs(jump) > JUMP) this.#wallAhead += jump
    if (jump > JUMP) {
      this.#jumped += jump
      for (const [end, { watchers }] of this.#watched)
        for (const watcher of watchers) this.#doubtAt(watcher, (this.#doubts.get(watcher)?.at ?? end) - jump)
    }
    for (const [watcher, { at }] of this.#doubts) if (at <= this.#clock.monotonic()) this.#doubt(watcher)
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

const wallAheadOf = (clock: Clock): number => clock.now() - clock.monotonic()
