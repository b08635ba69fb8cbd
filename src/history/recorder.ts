import { type Clock, setDeadline, type Timer, within } from '../clock.ts'
import { InvalidOptionError } from '../errors.ts'
import { quietly } from '../logger.ts'
import type { RunHistory } from '../provider/history.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { EventEntries } from './entries.ts'
import { type CheckedHistoryOptions, checkHistoryOptions, type HistoryOptions } from './options.ts'
import { Queue } from './queue.ts'

/** How many entries are written at once. */
const BATCH = 500
/** How often what is too old is dropped, in ms. */
const TRIM_EVERY = 60_000
/** How long a write may take, in ms. */
const WRITE_TIMEOUT = 5_000

/** Keeps the history of a scheduler. */
export interface Recorder {
  /** Writes what waits, now. Rejects when the store fails; what waits then stays. */
  flush(): Promise<void>
  /** Stops listening, writes what waits, and says that this node ends. Called by itself when the scheduler stops. Never rejects. */
  stop(): Promise<void>
}

/**
 * Records what becomes of the scheduler's ticks on this node in the history of its provider: batched, off the path of the tick, bounded. A store that fails, or that is slow, costs
 * history and nothing else. Call it once for each scheduler, before or after its start; it ends by itself with the scheduler.
 *
 * @throws {InvalidOptionError} for a wrong option, or when the provider keeps no history.
 */
export function recordHistory(scheduler: Scheduler, options: HistoryOptions = {}): Recorder {
  const checked = checkHistoryOptions(options)
  const history = options.history ?? scheduler.history
  if (!history) throw new InvalidOptionError('recordHistory: the provider keeps no history')
  return new HistoryRecorder(scheduler, history, checked)
}

class HistoryRecorder implements Recorder {
  readonly #scheduler: Scheduler
  readonly #history: RunHistory
  readonly #options: CheckedHistoryOptions
  readonly #clock: Clock
  readonly #entries: EventEntries
  readonly #queue: Queue
  readonly #startedAt: number
  readonly #unsubscribe: () => void
  #ready = false
  #heartbeatAt = Number.NEGATIVE_INFINITY
  #trimAt: number
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined

  constructor(scheduler: Scheduler, history: RunHistory, options: CheckedHistoryOptions) {
    this.#scheduler = scheduler
    this.#history = history
    this.#options = options
    this.#clock = options.clock
    const now = (): number => scheduler.now().getTime()
    this.#entries = new EventEntries({ node: scheduler.label, skips: options.skips, now })
    this.#queue = new Queue(options.maxQueued)
    this.#startedAt = now()
    // Nodes that start together don't trim together.
    this.#trimAt = this.#clock.monotonic() + Math.random() * TRIM_EVERY
    this.#unsubscribe = scheduler.onAny((name, event) => {
      const entry = this.#entries.of(name, event)
      if (entry) this.#queue.add(entry)
    })
    scheduler.beforeClose(() => this.stop())
    this.#arm()
  }

  #arm(): void {
    const next = (): void => void this.#turn().finally(() => this.#stopped ?? this.#arm())
    this.#timer = setDeadline(this.#clock, this.#clock.monotonic() + this.#options.writeEvery, next, {
      background: true,
    })
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    const dropped = this.#queue.takeDropped()
    if (dropped > 0) this.#report(() => this.#options.onDropped({ dropped }))
    try {
      await this.flush()
      const now = this.#clock.monotonic()
      if (now < this.#trimAt) return
      this.#trimAt = now + TRIM_EVERY
      const { keepFor, maxEntries } = this.#options
      await this.#withTimeout(this.#history.trim({ olderThanMs: keepFor, most: maxEntries }))
    } catch (error) {
      this.#report(() => this.#options.onError(error))
    }
  }

  flush(): Promise<void> {
    // One write after another: two at once could come in the wrong order.
    const written = this.#writing.then(() => this.#write(false))
    this.#writing = written.catch(() => {})
    return written
  }

  async #write(stopped: boolean): Promise<void> {
    if (!this.#ready) {
      await this.#withTimeout(this.#history.setup?.() ?? Promise.resolve())
      this.#ready = true
    }
    const beats = stopped || this.#clock.monotonic() >= this.#heartbeatAt
    let node = beats ? this.#state(stopped) : undefined
    while (node || this.#queue.size > 0) {
      const entries = this.#queue.first(BATCH)
      await this.#withTimeout(this.#history.write(entries, node))
      this.#queue.done(entries)
      if (node) this.#heartbeatAt = this.#clock.monotonic() + this.#options.heartbeatEvery
      node = undefined
    }
  }

  #state(stopped: boolean) {
    const { label, clockSkew } = this.#scheduler
    return { label, startedAt: this.#startedAt, skew: clockSkew, running: this.#entries.running, stopped }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#unsubscribe()
    this.#timer?.cancel()
    await this.#writing
    await this.#write(true).catch((error: unknown) => this.#report(() => this.#options.onError(error)))
  }

  /** A write that hangs must not hold up all that follow: it is sent again, which is safe. */
  #withTimeout<T>(result: Promise<T>): Promise<T> {
    const late = (): Error => new Error(`the store did not take history within ${WRITE_TIMEOUT} ms`)
    return within(this.#clock, WRITE_TIMEOUT, result, late, { background: true })
  }

  #report(call: () => unknown): void {
    quietly(call, () => {})
  }
}
