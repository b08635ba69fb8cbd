import type { Lock } from '../../lock/lock.ts'
import { detailsOf } from '../../lock/obtain.ts'
import type { LockRecord, Refused } from '../../provider/contract.ts'
import { labelOf } from '../../provider/holder.ts'
import type { SkippedEvent } from '../events.ts'
import type { Job } from '../job.ts'
import { type Engine, factsOf, type Tick } from '../scheduler-context.ts'
import { type Answer, type Ask, askForTick, askForTicks, type BatchTerms, pause } from './acquire-ticks.ts'
import { tellFutureTick } from './future-tick.ts'
import { Run } from './run.ts'

/**
 * Goes after one tick: asks for it until `until` (monotonic), and runs the job if it is granted. Answers when all is over. Never rejects.
 */
export async function pursue(engine: Engine, tick: Tick, until: number): Promise<void> {
  const { job } = tick
  job.asking++
  const answer = await askForTick(engine, tick, until)
  job.asking--
  await conclude(engine, tick, answer)
}

/** As {@link pursue}, for ticks that are due at once: one request for all of them. `onGranted` is called for each that is granted. */
export function pursueAll<Asked extends Ask>(
  engine: Engine,
  asks: readonly Asked[],
  terms: BatchTerms,
  onGranted?: (ask: Asked) => void,
): Promise<void> {
  for (const { tick } of asks) tick.job.asking++
  return askForTicks(engine, asks, terms, (ask, answer) => {
    const { tick } = ask
    tick.job.asking--
    if (answer.outcome === 'granted') onGranted?.(ask)
    const running = conclude(engine, tick, answer)
    if (running) engine.track(running)
  })
}

/** Does what the answer to a tick demands. What is run for it is over when the promise is, if there is one; it never rejects. */
export function conclude(engine: Engine, tick: Tick, answer: Answer): Promise<unknown> | undefined {
  const { job } = tick
  switch (answer.outcome) {
    case 'granted':
      job.paused = false
      job.futureTick = undefined
      // Also a tick that another node left unfinished before this one requested it for the first time.
      return run(engine, answer.rerun ? { ...tick, kind: 'rerun' } : tick, answer.lock)
    case 'running':
      tellSkipped(engine, tick, RUNNING_HERE)
      return undefined
    case 'refused':
      tellRefused(engine, tick, answer.refused)
      tellFutureTick(engine, job, answer.refused)
      noteHolder(engine, tick, answer.refused.record)
      job.paused = answer.refused.reason === 'paused'
      if (answer.refused.reason === 'clock-ahead') engine.putBack(tick)
      if (!job.paused && mayRerun(job, tick.time, answer.refused.record))
        engine.track(watch(engine, tick, answer.refused.record))
      return undefined
    case 'failed':
      if (job.onStoreError === 'run' && job.paused) {
        tellSkipped(engine, tick, PAUSED)
        return undefined
      }
      // Not once more what ran here meanwhile, by way of catching up, or before the job was registered anew.
      if (job.onStoreError === 'run' && tick.time <= latest(engine, job)) {
        tellSkipped(engine, tick, TAKEN_HERE)
        return undefined
      }
      if (job.onStoreError === 'run') return run(engine, tick, undefined)
      tellMissed(engine, tick, 'store-error', answer.error)
      engine.owe(job)
      return undefined
    case 'stopped':
      tellMissed(engine, tick, 'stopped', undefined)
      return undefined
  }
}

/** The node that took this tick, or a later one, is live. */
function noteHolder({ order }: Engine, tick: Tick, record: LockRecord | undefined): void {
  if (record?.lastTick !== undefined && record.lastTick >= tick.time) order.taken(tick, labelOf(record.lockedBy))
}

/** Why a tick is skipped on this node. */
export type SkipDetails = Pick<SkippedEvent, 'reason' | 'heldBy' | 'heldUntil'>

/** The job was paused when the store was last heard of, and now it can't be asked. */
const PAUSED = { reason: 'paused', heldBy: undefined, heldUntil: undefined } as const

/** The job still runs on this node. */
export const RUNNING_HERE = { reason: 'running', heldBy: undefined, heldUntil: undefined } as const

const latest = ({ ran }: Engine, { name }: Job): number => ran.get(name) ?? Number.NEGATIVE_INFINITY

/** It, or a later tick, ran on this node. */
const TAKEN_HERE = { reason: 'tick-taken', heldBy: undefined, heldUntil: undefined } as const

export const tellSkipped = (engine: Engine, tick: Tick, details: SkipDetails): void =>
  engine.events.emit('skipped', () => ({ ...factsOf(tick), ...details }))

const tellRefused = (engine: Engine, tick: Tick, refused: Refused): void =>
  engine.events.emit('skipped', () => ({
    ...factsOf(tick),
    heldBy: undefined,
    heldUntil: undefined,
    ...detailsOf(refused),
  }))

function run(engine: Engine, tick: Tick, lock: Lock | undefined): Promise<unknown> | undefined {
  if (engine.runs.has(tick.job.name)) {
    tellSkipped(engine, tick, RUNNING_HERE)
    return undefined
  }
  engine.ran.set(tick.job.name, Math.max(tick.time, latest(engine, tick.job)))
  return new Run(engine, tick, lock).execute()
}

/** Tells that a tick, or several in a row up to `until`, could not be asked for in time. */
export function tellMissed(
  engine: Engine,
  tick: Tick,
  reason: 'store-error' | 'late' | 'stopped',
  error: unknown,
  until?: number,
): void {
  const last = until === undefined ? undefined : new Date(until)
  engine.events.emit('missed', () => ({ ...factsOf(tick), reason, error, until: last }))
}

/** Whether this tick is being run elsewhere, and would be ours if its node crashed. */
export function mayRerun(job: Job, time: number, record: LockRecord | undefined): record is LockRecord {
  return job.lock.onCrash === 'rerun' && record?.lastTick === time && !record.tickDone
}

/** How long to wait with the next look at a tick that can't be had right now, in ms. */
const NEXT_LOOK = 1_000

/**
 * Waits until the lease of a tick that another node runs has lapsed, and then asks for that tick. The race: all nodes that were refused do so
 * at once; the store grants it to one, and the others see its new lease and wait for that one. Ends when the tick is done,
 * or a later one was granted. A tick that a node with a wrong clock took before its time is not run here before its time.
 */
export async function watch(engine: Engine, tick: Tick, record: LockRecord): Promise<void> {
  const { job, time } = tick
  if (job.watched !== undefined && job.watched >= time) return
  job.watched = time
  const rerun: Tick = { ...tick, kind: 'rerun' }
  let wait = Math.max(leftOf(record), time - engine.time.now())
  while (!engine.stopping.aborted) {
    await pause(engine, wait)
    if (engine.stopping.aborted || job.removed || job.watched !== time) break
    wait = NEXT_LOOK
    if (engine.runs.has(job.name)) continue
    const answer = await askForTick(engine, rerun, engine.clock.monotonic() + job.graceFor)
    if (answer.outcome === 'granted') await run(engine, rerun, answer.lock)
    if (answer.outcome === 'failed') continue
    // The ticks of a paused job are over.
    if (answer.outcome !== 'refused' || answer.refused.reason === 'paused') break
    if (!mayRerun(job, time, answer.refused.record)) break
    wait = leftOf(answer.refused.record)
  }
  if (job.watched === time) job.watched = undefined
}

/** Ms until a lease ends unless it is extended, and the one more that makes it over. */
export const leftOf = ({ lockUntil, storeTime }: LockRecord): number => Math.max(0, lockUntil - storeTime) + 1
