import { sleep } from '../../clock.ts'
import { isRecordBusy, type StoreError } from '../../errors.ts'
import { Acquisition, type Grant } from '../../lock/acquisition.ts'
import type { Lock } from '../../lock/lock.ts'
import { beginAcquisition, takeLock } from '../../lock/obtain.ts'
import type { Refused } from '../../provider/contract.ts'
import type { Job } from '../job.ts'
import { emitStoreError, type SchedulerContext } from '../scheduler-context.ts'
import type { Tick, TickRequest } from './tick.ts'

/** The outcome of a tick's acquisition. */
export type AcquireOutcome =
  | { readonly outcome: 'granted'; readonly lock: Lock; readonly rerun: boolean }
  | { readonly outcome: 'refused'; readonly refused: Refused }
  /** The store failed until the time was up. */
  | { readonly outcome: 'failed'; readonly error: unknown }
  /** Granted, but by now the job runs here without a lease that holds; released. */
  | { readonly outcome: 'running' }
  /**
   * The scheduler began to stop, or the job was removed, while the store was failing. Or it was granted after the grace
   * of the stop, and released.
   */
  | { readonly outcome: 'stopped' }

const FIRST_BACKOFF = 50
const LONGEST_BACKOFF = 2_000

/**
 * A node that doesn't know the store's clock, or not within half a second, may be early by as much as its own clock is
 * wrong; and so may a tick be that waited for its turn while its node learned what time it is. What is granted early is
 * over for all others, also where no answer gets through. So such a tick may lie ahead by so much at most, in ms; one
 * that is refused for it is requested again when it is due.
 */
const UNSURE_CLOCK_SKEW = 1_000
export const CLOCK_KNOWN_WITHIN = 500

/**
 * By how much a tick that is requested now may lie ahead of the store's clock, in ms: less when it lies ahead by what
 * is known here.
 */
function allowedSkew({ storeClock, acquireContext: { maxClockSkew } }: SchedulerContext): (tick: number) => number {
  const early = Math.min(maxClockSkew, UNSURE_CLOCK_SKEW)
  const due = storeClock.isKnownWithin(CLOCK_KNOWN_WITHIN) ? maxClockSkew : early
  const now = storeClock.now()
  return (tick) => (tick > now ? early : due)
}

/** How a batch of ticks is requested. */
export interface BatchOptions {
  /** How long to wait for the response, in ms. */
  readonly timeout: number
  /** Whether most of them were left to other nodes, which have taken them by now. */
  readonly mostRefused: boolean
}

/**
 * Requests a tick, and while the store fails asks again with the same owner, with growing pauses, until `until`
 * (monotonic). A grant that comes after that is released. Never rejects.
 */
export async function acquireTick(context: SchedulerContext, tick: Tick, until: number): Promise<AcquireOutcome> {
  const acquisition = beginAcquisition(
    context.acquireContext,
    tick.job.lock,
    tick.time,
    allowedSkew(context)(tick.time),
  )
  return await retry(context, { tick, until }, acquisition, new SharedBackoff(context))
}

/**
 * Requests many ticks as {@link acquireTick} does, first for all of them at once. Tells the answer to each when it is
 * there: in the same turn for all that the store answers, so that a refusal, which is what most asks of a cluster come
 * to, costs no promise of its own. Never rejects.
 */
export async function acquireTicks<Request extends TickRequest>(
  context: SchedulerContext,
  requests: readonly Request[],
  { timeout, mostRefused }: BatchOptions,
  onOutcome: (request: Request, result: AcquireOutcome) => void,
): Promise<void> {
  const { acquireContext } = context
  const skew = allowedSkew(context)
  const acquisitions = requests.map(({ tick: { job, time } }) =>
    beginAcquisition(acquireContext, job.lock, time, skew(time)),
  )
  const backoff = new SharedBackoff(context)
  const results = await Acquisition.sendAll(acquireContext.client, acquisitions, timeout, mostRefused)
  for (const [index, result] of results.entries()) {
    const request = requests[index] as Request
    const acquisition = acquisitions[index] as Acquisition
    if ('granted' in result) onOutcome(request, toOutcome(context, request.tick, acquisition, result))
    else context.track(retry(context, request, acquisition, backoff, result).then((later) => onOutcome(request, later)))
  }
}

/** How long to wait for one answer when so many ms are left, in ms. */
export const requestTimeout = ({ acquireContext }: SchedulerContext, job: Job, left: number): number =>
  Math.min(acquireContext.client.timeout, job.lock.lockAtMostFor, Math.max(1, left))

/** Asks until there is an answer or time is up; `failed` is what the ask before came to, if there was one. */
async function retry(
  context: SchedulerContext,
  request: TickRequest,
  acquisition: Acquisition,
  backoff: SharedBackoff,
  failed?: StoreError,
): Promise<AcquireOutcome> {
  const { clock, stopping } = context
  const { tick, until } = request
  const { job } = tick
  let error: unknown = failed
  try {
    for (let failures = failed ? 1 : 0; ; failures++) {
      let result: Grant | Refused | undefined
      if (failures > 0) {
        // A batch does not wait for a locked record. A request on its own does, until its own timeout.
        const busyInBatch = failures === 1 && failed !== undefined && isRecordBusy(failed)
        if (!busyInBatch) emitStoreError(context, 'acquire', job.name, error)
        if (stopping.aborted || job.removed) return { outcome: 'stopped' }
        if (!busyInBatch) await backoff.after(failures, until - clock.monotonic())
        // What came meanwhile came in time.
        result = acquisition.result
        // At its very end the next tick is due, and this one must not be taken any more.
        if (!result && clock.monotonic() >= until) return { outcome: 'failed', error }
      }
      try {
        result ??= await acquisition.send(requestTimeout(context, job, until - clock.monotonic()))
      } catch (again) {
        error = again
        continue
      }
      return toOutcome(context, tick, acquisition, result)
    }
  } finally {
    acquisition.abandon()
  }
}

/** What an answer of the store comes to here. A grant that is not taken into use is released. */
function toOutcome(
  { acquireContext, closing, running }: SchedulerContext,
  { job }: Tick,
  acquisition: Acquisition,
  result: Grant | Refused,
): AcquireOutcome {
  if (!result.granted) {
    acquisition.abandon()
    return { outcome: 'refused', refused: result }
  }
  // Its tick is not marked as done: under `onCrash: 'rerun'` it is still to be had.
  const isRunning = running.has(job.name)
  if (isRunning || closing.aborted) {
    acquisition.abandon()
    return { outcome: isRunning ? 'running' : 'stopped' }
  }
  // A grant that comes while the runs drain is used: to all other nodes this tick is taken.
  return { outcome: 'granted', lock: takeLock(acquireContext, job.lock, acquisition, result), rerun: result.rerun }
}

/**
 * Twice as long after each failure, and random by half, so that nodes don't come back all at once when the store does.
 */
export const backoffAfter = (failures: number, random: number): number =>
  Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(failures - 1, 20)) * (0.5 + random / 2)

/**
 * The backoff of ticks that were requested together. Those that fail together wait together, and so are one batch
 * again: thousands of single asks would bring down a store that is just about to recover.
 */
class SharedBackoff {
  readonly #context: SchedulerContext
  /** What goes on, by the number of failures. */
  readonly #shared = new Map<number, { readonly ends: number; readonly over: Promise<void> }>()

  constructor(context: SchedulerContext) {
    this.#context = context
  }

  /** Waits, but not for longer than `left` ms. */
  after(failures: number, left: number): Promise<void> {
    const { clock, random } = this.#context
    let shared = this.#shared.get(failures)
    if (!shared) {
      const length = backoffAfter(failures, random())
      const over = delay(this.#context, length).finally(() => this.#shared.delete(failures))
      shared = { ends: clock.monotonic() + length, over }
      this.#shared.set(failures, shared)
    }
    return shared.ends > clock.monotonic() + left ? delay(this.#context, left) : shared.over
  }
}

/** Waits, or less when the scheduler begins to stop. */
export async function delay({ clock, stopping }: SchedulerContext, ms: number): Promise<void> {
  await sleep(clock, ms, stopping).catch(() => {})
}
