/* Waiting for a file that another connection has locked. SQLite has no locks of single records: a writer has the whole file. */
import { setTimeout } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import { isBusy } from './errors.ts'
import { InUse } from './transaction.ts'

/**
 * How long the driver itself waits for another process, in ms. It blocks the event loop meanwhile, so it is enough for a
 * healthy neighbour's transaction and no more; {@link BusyRetries} waits for the others.
 */
export const BUSY_TIMEOUT = 10

/** How long a call waits in all, in ms, before it fails: less than the core's `storeTimeout`, so that its error is heard. */
const LONGEST_WAIT = 4_000

/** The part of the caller's timeout after which a call gives up, so that the caller hears its error. */
const PART_OF_TIMEOUT = 0.9

const LONGEST_DELAY = 50

/** How long a call with this timeout waits, in ms. */
export const waitFor = (timeout = Number.POSITIVE_INFINITY): number => Math.min(LONGEST_WAIT, timeout * PART_OF_TIMEOUT)

/**
 * Repeats calls while another connection has the file locked, with short random delays that leave the event loop free. One call at a
 * time does so: each attempt may block the event loop for {@link BUSY_TIMEOUT}, and several that wait together would block it for good.
 */
export class BusyRetries {
  readonly #file: string
  /** Settles when no earlier call is waiting. */
  #turn: Promise<unknown> | undefined

  constructor(file: string) {
    this.#file = file
  }

  async run<Result>(attempt: () => Promise<Result>, wait: number): Promise<Result> {
    const deadline = performance.now() + wait
    const before = this.#turn
    const call = this.#runAfter(before, attempt, deadline, wait)
    const turn = Promise.allSettled([before, call])
    this.#turn = turn
    try {
      return await call
    } finally {
      if (this.#turn === turn) this.#turn = undefined
    }
  }

  async #runAfter<Result>(
    before: Promise<unknown> | undefined,
    attempt: () => Promise<Result>,
    deadline: number,
    wait: number,
  ): Promise<Result> {
    if (before && !(await settlesBefore(before, deadline))) throw this.#locked(wait)
    for (let delay = 4; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
      try {
        return await attempt()
      } catch (error) {
        if (!isBusy(error) && !(error instanceof InUse)) throw error
        if (performance.now() + delay > deadline) throw this.#locked(wait, error)
      }
      await setTimeout(delay * (0.5 + Math.random() / 2))
    }
  }

  #locked(wait: number, cause?: unknown): StoreError {
    const inUse = cause instanceof InUse ? `: ${cause.message}` : ''
    return new StoreError(
      `${this.#file} was locked by another transaction for ${Math.round(wait)} ms${inUse || '; end it, such as an open BEGIN IMMEDIATE in a database console or a stopped process'}`,
      { cause },
    )
  }
}

async function settlesBefore(before: Promise<unknown>, deadline: number): Promise<boolean> {
  const over = new AbortController()
  const timer = setTimeout(Math.max(0, deadline - performance.now()), false, { signal: over.signal })
  try {
    return await Promise.race([before.then(() => true), timer.catch(() => false)])
  } finally {
    over.abort()
  }
}
