import { sleep } from '../../clock.ts'
import { isRecordBusy, type StoreError } from '../../errors.ts'
import { Acquisition, type Grant } from '../../lock/acquisition.ts'
import type { Lock } from '../../lock/lock.ts'
import { beginAcquisition, takeLock } from '../../lock/obtain.ts'
import type { Refused } from '../../provider/contract.ts'
import type { Job } from '../job.ts'
import { type Engine, type Tick, tellStoreError } from '../scheduler-context.ts'

/** What came of asking for a tick. */
export type Answer =
  | { readonly outcome: 'granted'; readonly lock: Lock; readonly rerun: boolean }
  | { readonly outcome: 'refused'; readonly refused: Refused }
  /** The store failed until the time was up. */
  | { readonly outcome: 'failed'; readonly error: unknown }
  /** Granted, but by now the job runs here without a lease that holds; given back. */
  | { readonly outcome: 'running' }
  /** The scheduler began to stop, or the job was removed, while the store was failing. Or it was granted after the grace of the stop, and given back. */
  | { readonly outcome: 'stopped' }

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2_000

/**
 * A node that doesn't know the store's clock, or not within half a second, may be early by as much as its own clock is wrong; and so may a tick be
 * that waited for its turn while its node learned what time it is. What is granted early is over for all others, also where no answer gets
 * through. So such a tick may lie ahead by so much at most, in ms; one that is refused for it is asked for again when it is due.
 */
const LEAST_SKEW = 1_000
export const WELL_KNOWN = 500

/** By how much a tick that is asked for now may lie ahead of the store's clock, in ms: less when it lies ahead by what is known here. */
function skewOf({ time, asker: { maxClockSkew } }: Engine): (tick: number) => number {
  const early = Math.min(maxClockSkew, LEAST_SKEW)
  const due = time.isKnownWithin(WELL_KNOWN) ? maxClockSkew : early
  const now = time.now()
  return (tick) => (tick > now ? early : due)
}

/** A tick to be asked for until some moment (monotonic). */
export interface Ask {
  readonly tick: Tick
  readonly until: number
}

/** How a batch of ticks is requested. */
export interface BatchTerms {
  /** How long to wait for the response, in ms. */
  readonly patience: number
  /** Whether most of them were left to other nodes, which have taken them by now. */
  readonly mostRefused: boolean
}

/**
 * Asks for a tick, and while the store fails asks again with the same owner, with growing pauses, until `until` (monotonic). A grant that
 * comes after that is given back. Never rejects.
 */
export async function askForTick(engine: Engine, tick: Tick, until: number): Promise<Answer> {
  const acquisition = beginAcquisition(engine.asker, tick.job.lock, tick.time, skewOf(engine)(tick.time))
  return await goOn(engine, { tick, until }, acquisition, new Pauses(engine))
}

/**
 * Asks for many ticks as {@link askForTick} does, first for all of them at once. Tells the answer to each when it is there: in the same turn for all
 * that the store answers, so that a refusal, which is what most asks of a cluster come to, costs no promise of its own. Never
 * rejects.
 */
export async function askForTicks<Asked extends Ask>(
  engine: Engine,
  asks: readonly Asked[],
  { patience, mostRefused }: BatchTerms,
  onAnswer: (ask: Asked, answer: Answer) => void,
): Promise<void> {
  const { asker } = engine
  const skew = skewOf(engine)
  const acquisitions = asks.map(({ tick: { job, time } }) => beginAcquisition(asker, job.lock, time, skew(time)))
  const pauses = new Pauses(engine)
  const results = await Acquisition.askAll(asker.store, acquisitions, patience, mostRefused)
  for (const [index, answer] of results.entries()) {
    const ask = asks[index] as Asked
    const acquisition = acquisitions[index] as Acquisition
    if ('granted' in answer) onAnswer(ask, taken(engine, ask.tick, acquisition, answer))
    else engine.track(goOn(engine, ask, acquisition, pauses, answer).then((later) => onAnswer(ask, later)))
  }
}

/** How long to wait for one answer when so many ms are left, in ms. */
export const patienceFor = ({ asker }: Engine, job: Job, left: number): number =>
  Math.min(asker.store.timeout, job.lock.lockAtMostFor, Math.max(1, left))

/** Asks until there is an answer or time is up; `failed` is what the ask before came to, if there was one. */
async function goOn(
  engine: Engine,
  ask: Ask,
  acquisition: Acquisition,
  pauses: Pauses,
  failed?: StoreError,
): Promise<Answer> {
  const { clock, stopping } = engine
  const { tick, until } = ask
  const { job } = tick
  let error: unknown = failed
  try {
    for (let failures = failed ? 1 : 0; ; failures++) {
      let answer: Grant | Refused | undefined
      if (failures > 0) {
        // A batch does not wait for a locked record. A request on its own does, until its own timeout.
        const busyInBatch = failures === 1 && failed !== undefined && isRecordBusy(failed)
        if (!busyInBatch) tellStoreError(engine, 'acquire', job.name, error)
        if (stopping.aborted || job.removed) return { outcome: 'stopped' }
        if (!busyInBatch) await pauses.after(failures, until - clock.monotonic())
        // What came meanwhile came in time.
        answer = acquisition.answer
        // At its very end the next tick is due, and this one must not be taken any more.
        if (!answer && clock.monotonic() >= until) return { outcome: 'failed', error }
      }
      try {
        answer ??= await acquisition.ask(patienceFor(engine, job, until - clock.monotonic()))
      } catch (again) {
        error = again
        continue
      }
      return taken(engine, tick, acquisition, answer)
    }
  } finally {
    acquisition.abandon()
  }
}

/** What an answer of the store comes to here. A grant that is not taken into use is given back. */
function taken(
  { asker, closing, runs }: Engine,
  { job }: Tick,
  acquisition: Acquisition,
  answer: Grant | Refused,
): Answer {
  if (!answer.granted) {
    acquisition.abandon()
    return { outcome: 'refused', refused: answer }
  }
  // Its tick is not marked as done: under `onCrash: 'rerun'` it is still to be had.
  const running = runs.has(job.name)
  if (running || closing.aborted) {
    acquisition.abandon()
    return { outcome: running ? 'running' : 'stopped' }
  }
  // A grant that comes while the runs drain is used: to all other nodes this tick is taken.
  return { outcome: 'granted', lock: takeLock(asker, job.lock, acquisition, answer), rerun: answer.rerun }
}

/** Twice as long after each failure, and random by half, so that nodes don't come back all at once when the store does. */
export const pauseAfter = (failures: number, random: number): number =>
  Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 20)) * (0.5 + random / 2)

/**
 * The pauses between the asks of ticks that were asked for together. Those that fail together wait together, and so are one batch again: thousands of
 * single asks would bring down a store that is just about to recover.
 */
class Pauses {
  readonly #engine: Engine
  /** What goes on, by the number of failures. */
  readonly #shared = new Map<number, { readonly ends: number; readonly over: Promise<void> }>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Waits, but not for longer than `left` ms. */
  after(failures: number, left: number): Promise<void> {
    const { clock, random } = this.#engine
    let shared = this.#shared.get(failures)
    if (!shared) {
      const length = pauseAfter(failures, random())
      const over = pause(this.#engine, length).finally(() => this.#shared.delete(failures))
      shared = { ends: clock.monotonic() + length, over }
      this.#shared.set(failures, shared)
    }
    return shared.ends > clock.monotonic() + left ? pause(this.#engine, left) : shared.over
  }
}

/** Waits, or less when the scheduler begins to stop. */
export async function pause({ clock, stopping }: Engine, ms: number): Promise<void> {
  await sleep(clock, ms, stopping).catch(() => {})
}
