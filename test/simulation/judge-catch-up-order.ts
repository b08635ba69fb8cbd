import { parseDuration } from '../../src/duration.ts'
import type { JobOptions } from '../../src/index.ts'
import type { AcquireRequest, AcquireResult, LockRecord } from '../../src/provider/contract.ts'
import { ticksBetween } from '../../src/scheduler/plan/schedule.ts'
import { scheduleOf } from './judge-schedule-change.ts'
import { NEVER } from './ledger.ts'
import type { Life } from './life.ts'
import { TIMELY, type Witness } from './witness.ts'

/** An answer that took so long, in ms, may not have been waited for. */
const GIVEN_UP = 4_900
/** So soon after it has read that ticks are owed a node asks for the first of them, in ms, if nothing hinders it: it may pause between two asks. */
const ASKING = 3_000

/** The newest record of a job that a node has read. */
interface Reading {
  readonly at: number
  readonly lastTick: number
}

/** What one process has gone after for a job that catches up, and in which order. */
export class CatchUpOrder {
  reading: Reading | undefined
  /** No tick up to this one is owed, by anything that this process has read. */
  takenUntil = Number.NEGATIVE_INFINITY
  /** When it first asked for a tick. */
  readonly asked = new Map<number, number>()
  /** When it last did. */
  readonly askedLast = new Map<number, number>()
  /** The ticks that it has asked for, and that it has neither been told about nor said anything about. */
  readonly open = new Set<number>()
}

const turnsOf = (life: Life, job: string): CatchUpOrder => {
  const known = life.turns.get(job)
  if (known) return known
  const turns = new CatchUpOrder()
  life.turns.set(job, turns)
  return turns
}

/** How far back a job catches up, in ms, and with how many ticks. */
export const catchUpOf = (options: JobOptions | undefined): { window: number; max: number } | undefined => {
  const { catchUp = 'none' } = options ?? {}
  if (catchUp === 'none') return undefined
  if (catchUp === 'latest') return { window: Number.POSITIVE_INFINITY, max: 1 }
  return { window: parseDuration(catchUp.window, { option: 'catchUp.window' }), max: catchUp.max }
}

/** A process that catches up asks for what is owed first: no tick that comes meanwhile overtakes one that is still being asked for. */
export function judgeOrder(witness: Witness, life: Life, { name, tick }: AcquireRequest): void {
  if (tick === undefined || tick >= NEVER) return
  if ((life.optionsAt(name, witness.now)?.catchUp ?? 'none') === 'none') return
  const turns = turnsOf(life, name)
  const { reading } = turns
  const again = turns.asked.has(tick)
  turns.askedLast.set(tick, witness.now)
  if (again) {
    if (tick > turns.takenUntil) turns.open.add(tick)
    return
  }
  turns.asked.set(tick, witness.now)
  if (tick <= turns.takenUntil) return
  const overtaken =
    reading && tick > reading.at + TIMELY && witness.knowsTime(life) ? owedAndOpen(turns, reading.at) : undefined
  turns.open.add(tick)
  if (overtaken === undefined || witness.file(name).mayRunOpen) return
  const since = turns.asked.get(overtaken) ?? witness.now
  if (life.reloaded(name, since - 1, witness.now)) return
  witness.violate(
    'catch-up',
    `${life.node} asks for ${name} at ${show(tick)} before it has dealt with ${show(overtaken)}, which is owed`,
  )
}

/** An owed tick that is still being asked for. Those that came after the reading wait for each other only while the job does not run. */
function owedAndOpen({ open }: CatchUpOrder, readAt: number): number | undefined {
  for (const tick of open) if (tick < readAt - TIMELY) return tick
  return undefined
}

/** The store has said of a tick to whom it belongs: other ticks may have their turn. */
export function noteRequest(life: Life, { name, tick }: AcquireRequest, result: AcquireResult): void {
  const turns = life.turns.get(name)
  if (!turns || tick === undefined) return
  const taken = result.granted ? tick : (result.record?.lastTick ?? Number.NEGATIVE_INFINITY)
  hearTaken(turns, result.granted || result.reason !== 'tick-taken' ? taken : Math.max(tick, taken))
  if (result.granted || result.reason !== 'held') turns.open.delete(tick)
}

/** Up to this one no tick is owed. One of them that is asked for once more is to be taken over from a node that crashed, and waits for none. */
function hearTaken(turns: CatchUpOrder, lastTick: number): void {
  if (lastTick <= turns.takenUntil) return
  turns.takenUntil = lastTick
  for (const tick of turns.open) if (tick <= lastTick) turns.open.delete(tick)
}

/** The process has said what has become of these ticks. */
export function closeOrder(life: Life, job: string, first: number, last = first): void {
  const open = life.turns.get(job)?.open
  if (open) for (const tick of open) if (tick >= first && tick <= last) open.delete(tick)
}

/** Keeps what a process has read, and looks whether it acts by it. */
export function onRead(
  witness: Witness,
  life: Life,
  names: readonly string[],
  records: readonly LockRecord[],
  after: number,
): void {
  const found = new Map(records.map((record) => [record.name, record]))
  for (const name of names) {
    const turns = turnsOf(life, name)
    const lastTick = found.get(name)?.lastTick
    turns.reading = undefined
    if (lastTick === undefined || after >= GIVEN_UP) continue
    hearTaken(turns, lastTick)
    turns.reading = { at: witness.now, lastTick }
    judgeReading(witness, life, name, turns.reading, after)
  }
}

/** What nobody has run is caught up with. */
function judgeReading(witness: Witness, life: Life, name: string, { at, lastTick }: Reading, took: number): void {
  const options = life.optionsAt(name, at)
  const catchUp = catchUpOf(options)
  if (!options || !catchUp || !witness.knowsTime(life)) return
  const { window, max } = catchUp
  const owed = ticksBetween(scheduleOf(witness, options), Math.max(lastTick, at - window), at, max)
  const newest = owed.at(-1)
  const oldest = owed[0] ?? 0
  // What is so new, or about to leave the window, need not be seen as owed by the node's clock.
  if (newest === undefined || newest > at - TIMELY || newest < at - window + ASKING + TIMELY) return
  const file = witness.file(name)
  const runsHere = (): boolean => [...file.active].some((run) => run.life === life)
  if (runsHere()) return
  witness.later(ASKING, () => {
    if (!life.upThrough(at, witness.now) || life.reloaded(name, at - took - 1, witness.now)) return
    if (life.troubleWithin(at, witness.now) || witness.storeTroubleWithin(at, witness.now)) return
    if (runsHere() || (life.ended.get(name) ?? 0) > at - RELEASING) return
    const { askedLast } = turnsOf(life, name)
    // By the node's own clock one more may be owed.
    for (const [tick, askedAt] of askedLast) if (askedAt >= at && tick >= oldest && tick <= at + TIMELY) return
    witness.violate(
      'catch-up',
      `${life.node} has read that ${name} at ${show(newest)} is owed, and has not asked for it`,
    )
  })
}

/** A job counts as running until its release was answered, or given up, in ms. */
const RELEASING = 10_100

/** What the node's own reading of the record has shown as taken is not asked for. */
export function judgeNeed(witness: Witness, life: Life, job: string, tick: number): void {
  const reading = life.turns.get(job)?.reading
  if (!reading || tick > reading.lastTick || life.reloaded(job, witness.now - 60_000, witness.now)) return
  witness.violate(
    'catch-up',
    `${life.node} asked for ${job} at ${show(tick)}, and had read that ${show(reading.lastTick)} was taken`,
  )
}

const show = (tick: number): string => new Date(tick).toISOString()
