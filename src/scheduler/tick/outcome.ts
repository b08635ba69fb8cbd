import type { Lock } from '../../lock/lock.ts'
import { detailsOf } from '../../lock/obtain.ts'
import type { LockRecord, Refused } from '../../provider/contract.ts'
import { labelOf } from '../../provider/holder.ts'
import type { SkippedEvent } from '../events.ts'
import type { Job } from '../job.ts'
import { logClockAhead } from '../log-events.ts'
import type { SchedulerContext } from '../scheduler-context.ts'
import { type AcquireOutcome, acquireTick, acquireTicks, type BatchOptions, delay } from './acquire-ticks.ts'
import { emitFutureTick } from './future-tick.ts'
import { Run } from './run.ts'
import { jobEvent, type Tick, type TickRequest } from './tick.ts'

/**
 * Requests one tick until `until` (monotonic), and runs the job if it is granted. Resolves when all is over. Never
 * rejects.
 */
export async function acquireAndRun(context: SchedulerContext, tick: Tick, until: number): Promise<void> {
  const { job } = tick
  job.requesting++
  const outcome = await acquireTick(context, tick, until)
  job.requesting--
  await handleOutcome(context, tick, outcome)
}

/**
 * As {@link acquireAndRun}, for ticks that are due at once: one request for all of them. `onGranted` is called for each
 * that is granted.
 */
export function acquireAndRunAll<Request extends TickRequest>(
  context: SchedulerContext,
  requests: readonly Request[],
  options: BatchOptions,
  onGranted?: (request: Request) => void,
): Promise<void> {
  for (const { tick } of requests) tick.job.requesting++
  return acquireTicks(context, requests, options, (request, outcome) => {
    const { tick } = request
    tick.job.requesting--
    if (outcome.outcome === 'granted') onGranted?.(request)
    const running = handleOutcome(context, tick, outcome)
    if (running) context.track(running)
  })
}

/**
 * Does what the answer to a tick demands. What is run for it is over when the promise is, if there is one; it never
 * rejects.
 */
export function handleOutcome(
  context: SchedulerContext,
  tick: Tick,
  outcome: AcquireOutcome,
): Promise<unknown> | undefined {
  const { job } = tick
  switch (outcome.outcome) {
    case 'granted':
      job.paused = false
      job.futureTick = undefined
      // Also a tick that another node left unfinished before this one requested it for the first time.
      return run(context, outcome.rerun ? { ...tick, kind: 'rerun' } : tick, outcome.lock)
    case 'running':
      emitSkipped(context, tick, RUNNING_HERE)
      return undefined
    case 'refused':
      emitRefused(context, tick, outcome.refused)
      emitFutureTick(context, job, outcome.refused)
      noteHolder(context, tick, outcome.refused.record)
      job.paused = outcome.refused.reason === 'paused'
      if (outcome.refused.reason === 'clock-ahead') {
        logClockAhead(context.logger, jobEvent(tick))
        context.reschedule(tick)
      }
      if (!job.paused && mayRerun(job, tick.time, outcome.refused.record))
        context.track(awaitRerun(context, tick, outcome.refused.record))
      return undefined
    case 'failed':
      if (job.onStoreError === 'run' && job.paused) {
        emitSkipped(context, tick, PAUSED)
        return undefined
      }
      // Not once more what ran here meanwhile, by way of catching up, or before the job was registered anew.
      if (job.onStoreError === 'run' && tick.time <= lastTickRunHere(context, job)) {
        emitSkipped(context, tick, TAKEN_HERE)
        return undefined
      }
      if (job.onStoreError === 'run') return run(context, tick, undefined)
      emitMissed(context, tick, 'store-error', outcome.error)
      context.noteMissed(job)
      return undefined
    case 'stopped':
      emitMissed(context, tick, 'stopped', undefined)
      return undefined
  }
}

/** The node that took this tick, or a later one, is live. */
function noteHolder({ requestOrder }: SchedulerContext, tick: Tick, record: LockRecord | undefined): void {
  if (record?.lastTick !== undefined && record.lastTick >= tick.time) requestOrder.taken(tick, labelOf(record.lockedBy))
}

/** Why a tick is skipped on this node. */
export type SkipDetails = Pick<SkippedEvent, 'reason' | 'heldBy' | 'heldUntil'>

/** The job was paused when the store was last heard of, and now it can't be asked. */
const PAUSED = { reason: 'paused', heldBy: undefined, heldUntil: undefined } as const

/** The job still runs on this node. */
export const RUNNING_HERE = { reason: 'running', heldBy: undefined, heldUntil: undefined } as const

const lastTickRunHere = ({ lastRunTick }: SchedulerContext, { name }: Job): number =>
  lastRunTick.get(name) ?? Number.NEGATIVE_INFINITY

/** It, or a later tick, ran on this node. */
const TAKEN_HERE = { reason: 'tick-taken', heldBy: undefined, heldUntil: undefined } as const

export const emitSkipped = (context: SchedulerContext, tick: Tick, details: SkipDetails): void =>
  context.events.emit('skipped', () => ({ ...jobEvent(tick), ...details }))

const emitRefused = (context: SchedulerContext, tick: Tick, refused: Refused): void =>
  context.events.emit('skipped', () => ({
    ...jobEvent(tick),
    heldBy: undefined,
    heldUntil: undefined,
    ...detailsOf(refused),
  }))

function run(context: SchedulerContext, tick: Tick, lock: Lock | undefined): Promise<unknown> | undefined {
  if (context.running.has(tick.job.name)) {
    emitSkipped(context, tick, RUNNING_HERE)
    return undefined
  }
  context.lastRunTick.set(tick.job.name, Math.max(tick.time, lastTickRunHere(context, tick.job)))
  return new Run(context, tick, lock).execute()
}

/** Emits that a tick, or several in a row up to `until`, could not be requested in time. */
export function emitMissed(
  context: SchedulerContext,
  tick: Tick,
  reason: 'store-error' | 'late' | 'stopped',
  error: unknown,
  until?: number,
): void {
  const last = until === undefined ? undefined : new Date(until)
  context.events.emit('missed', () => ({ ...jobEvent(tick), reason, error, until: last }))
}

/** Whether this tick is being run elsewhere, and would be ours if its node crashed. */
export function mayRerun(job: Job, time: number, record: LockRecord | undefined): record is LockRecord {
  return job.lock.onCrash === 'rerun' && record?.lastTick === time && !record.tickDone
}

/** How long to wait with the next look at a tick that can't be had right now, in ms. */
const RERUN_RETRY_AFTER = 1_000

/**
 * Waits until the lease of a tick that another node runs has expired, and then requests that tick. The race: all nodes
 * that were refused do so at once; the store grants it to one, and the others see its new lease and wait for that one.
 * Ends when the tick is done, or a later one was granted. A tick that a node with a wrong clock took before its time is
 * not run here before its time.
 */
export async function awaitRerun(context: SchedulerContext, tick: Tick, record: LockRecord): Promise<void> {
  const { job, time } = tick
  if (job.watched !== undefined && job.watched >= time) return
  job.watched = time
  const rerun: Tick = { ...tick, kind: 'rerun' }
  let wait = Math.max(remainingLease(record), time - context.storeClock.now())
  while (!context.stopping.aborted) {
    await delay(context, wait)
    if (context.stopping.aborted || job.removed || job.watched !== time) break
    wait = RERUN_RETRY_AFTER
    if (context.running.has(job.name)) continue
    const outcome = await acquireTick(context, rerun, context.clock.monotonic() + job.graceFor)
    if (outcome.outcome === 'granted') await run(context, rerun, outcome.lock)
    if (outcome.outcome === 'failed') continue
    // The ticks of a paused job are over.
    if (outcome.outcome !== 'refused' || outcome.refused.reason === 'paused') break
    if (!mayRerun(job, time, outcome.refused.record)) break
    wait = remainingLease(outcome.refused.record)
  }
  if (job.watched === time) job.watched = undefined
}

/** Ms until a lease ends unless it is extended, and the one more that makes it over. */
export const remainingLease = ({ lockUntil, storeTime }: LockRecord): number => Math.max(0, lockUntil - storeTime) + 1
