import { type Clock, setDeadline, systemClock, type Timer } from '../clock.ts'

/** How much output of one run is logged. */
export interface OutputLimits {
  /** So much at once. Bytes are counted as UTF-16 units. */
  readonly burst: Amount
  /** So much each second after that. */
  readonly perSecond: Amount
}

export interface Amount {
  readonly lines: number
  readonly bytes: number
}

export const OUTPUT_LIMITS: OutputLimits = {
  burst: { lines: 10_000, bytes: 2 * 2 ** 20 },
  perSecond: { lines: 500, bytes: 128 * 2 ** 10 },
}

const SECOND = 1_000

/** Decides which output of a run is logged, so that a command that prints fast costs neither the event loop nor the disk. */
export class OutputBudget {
  readonly #limits: OutputLimits
  readonly #report: (dropped: Amount) => void
  readonly #clock: Clock
  #left: Amount
  #filledAt: number
  #dropped: Amount = { lines: 0, bytes: 0 }
  /** Set while output is dropped: all of it until the report, so that there is at most one report a second. */
  #reportTimer: Timer | undefined

  constructor(report: (dropped: Amount) => void, limits = OUTPUT_LIMITS, clock: Clock = systemClock) {
    this.#report = report
    this.#limits = limits
    this.#clock = clock
    this.#left = limits.burst
    this.#filledAt = clock.monotonic()
  }

  /** Whether everything is dropped at the moment. */
  get isSpent(): boolean {
    return this.#reportTimer !== undefined
  }

  /** Whether a line of so many bytes is to be logged. If not, {@link drop} it. */
  take(bytes: number): boolean {
    this.#refill()
    if (this.isSpent || this.#left.lines < 1 || this.#left.bytes < 1) return false
    this.#left = { lines: this.#left.lines - 1, bytes: this.#left.bytes - bytes }
    return true
  }

  drop({ lines, bytes }: Amount): void {
    this.#dropped = { lines: this.#dropped.lines + lines, bytes: this.#dropped.bytes + bytes }
    this.#reportTimer ??= setDeadline(this.#clock, this.#clock.monotonic() + SECOND, () => this.flush(), {
      background: true,
    })
  }

  /** Reports what was dropped since the last report, if anything was. */
  flush(): void {
    this.#reportTimer?.cancel()
    this.#reportTimer = undefined
    const dropped = this.#dropped
    this.#dropped = { lines: 0, bytes: 0 }
    if (dropped.bytes > 0) this.#report(dropped)
  }

  #refill(): void {
    const now = this.#clock.monotonic()
    const seconds = (now - this.#filledAt) / SECOND
    this.#filledAt = now
    const { burst, perSecond } = this.#limits
    this.#left = {
      lines: Math.min(burst.lines, this.#left.lines + seconds * perSecond.lines),
      bytes: Math.min(burst.bytes, this.#left.bytes + seconds * perSecond.bytes),
    }
  }
}
