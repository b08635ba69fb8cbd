import type { Scheduler, SkippedEvent } from '../../src/index.ts'
import type { AcquireRequest, AcquireResult, ReleaseRequest } from '../../src/provider/contract.ts'
import type { MissedEvent } from '../../src/scheduler/events.ts'
import { REPORTED } from './job-account.ts'
import { closeOrder, judgeNeed, judgeOrder, noteRequest } from './judge-catch-up-order.ts'
import { judgeChange } from './judge-schedule-change.ts'
import { NEVER } from './ledger.ts'
import type { Life } from './life.ts'
import { overlapping } from './outages.ts'
import { TIMELY, type Witness } from './witness.ts'

/** A job counts as running until its release was answered, or given up, in ms. */
const RELEASING = 10_100
/** The longest pause between two asks, in ms, and a little. */
const LONGEST_PAUSE = 2_100

/** So soon a grant is used, or sent back, by a node that goes on, in ms: it may come in the pause before the next ask. */
const GIVING_BACK = LONGEST_PAUSE + 50

/** Listens to what a scheduler says, and judges whether it is true. */
export function listen(witness: Witness, life: Life, scheduler: Scheduler, throws: boolean): void {
  scheduler.on('started', (event) => {
    life.kinds.set(event.job, event.kind)
    judgeChange(witness, life, event)
  })
  scheduler.on('skipped', (event) => onSkipped(witness, life, event))
  scheduler.on('missed', (event) => onMissed(witness, life, event))
  if (throws)
    scheduler.onAny(() => {
      throw new Error('a listener that throws at everything')
    })
}

/** Keeps for what a node asks, and as whom for the jobs that may run without an answer. */
export function onRequest(witness: Witness, life: Life, requests: readonly AcquireRequest[]): void {
  for (const request of requests) {
    judgeOrder(witness, life, request)
    const { name, tick, owner } = request
    life.requests.set(owner, (life.requests.get(owner) ?? 0) + 1)
    const file = witness.files.get(name)
    if (!file?.mayRunOpen || tick === undefined || tick >= NEVER) continue
    const { askers } = file.tick(tick)
    askers.set(life, (askers.get(life) ?? new Set()).add(owner))
  }
}

/** Keeps what a node was told by the store. */
export function onResult(
  witness: Witness,
  life: Life,
  requests: readonly AcquireRequest[],
  results: readonly AcquireResult[],
  after: number,
): void {
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index] as AcquireRequest
    const { name, owner, tick, lockAtMostFor } = request
    const result = results[index] as AcquireResult
    noteRequest(life, request, result)
    // What came after its lease had ended, counted from the sending, is no answer.
    if (result.granted && after >= lockAtMostFor) continue
    // Nor what was on its way when the wall clock jumped: the request is repeated, since its lease may be over.
    if (result.granted && life.jumps.some((at) => at >= witness.now - after)) continue
    if (result.granted) {
      const left = result.lease.lockUntil - result.lease.storeTime - after
      if (!life.granted.has(owner)) life.granted.set(owner, witness.now)
      // One that ends during the pause before the next ask is asked for anew.
      if (left > GIVING_BACK) witness.later(GIVING_BACK, () => judgeUse(witness, life, name, owner))
    }
    if (tick === undefined || !witness.files.has(name)) continue
    const file = witness.file(name)
    const known = file.ticks.get(tick)
    // A grant may lapse during the pause before the next ask.
    if (!result.granted || lockAtMostFor - after > LONGEST_PAUSE) known?.answered.add(life)
    const told = REPORTED[result.granted ? 'granted' : result.reason] ?? 0
    known?.told.set(life, (known.told.get(life) ?? 0) | told)
  }
}

/** Keeps what a node gives back, whether that arrives or not. */
export function onRelease(witness: Witness, life: Life, requests: readonly ReleaseRequest[]): void {
  for (const { owner } of requests) life.releasing.set(owner, witness.now)
}

/**
 * A grant that has arrived is used, or given back: nobody is kept from the lock for nothing. What was given back before it had arrived
 * may have been granted after that, and is given back once more.
 */
function judgeUse(witness: Witness, life: Life, name: string, owner: string): void {
  const file = witness.file(name)
  const { holding } = file
  if (holding.owner !== owner || holding.released || holding.until <= witness.now || file.runs.has(owner)) return
  // The network is no excuse: it may lose a release, but that has to be sent.
  if ((life.releasing.get(owner) ?? 0) >= (life.granted.get(owner) ?? 0)) return
  const from = witness.now - GIVING_BACK
  if (life.clock.dead || life.stoodStillWithin(from, witness.now)) return
  witness.violate('a lost reply is harmless', `${life.node} was granted ${name}, and neither used it nor gave it back`)
}

function onSkipped(witness: Witness, life: Life, { job, kind, scheduledAt, reason }: SkippedEvent): void {
  if (kind === 'trigger') return
  closeOrder(life, job, +scheduledAt)
  if (kind === 'catch-up' && reason !== 'running') judgeNeed(witness, life, job, +scheduledAt)
  const file = witness.file(job)
  const tick = file.tick(+scheduledAt)
  if (reason !== 'running') {
    // What ran there without its lock need not be asked for.
    if (reason === 'tick-taken' && file.mayRunOpen && tick.time <= (life.latest.get(job) ?? 0)) return
    if (((tick.told.get(life) ?? 0) & (REPORTED[reason] ?? 0)) === 0)
      witness.violate(
        'a failure is no refusal',
        `${life.node} says that ${job} was refused as ${reason}, which the store has not told it`,
      )
    return
  }
  file.dealWith(tick.time, life, witness.now)
  tick.reasons.add(reason)
  tick.told.set(life, (tick.told.get(life) ?? 0) | (REPORTED.running ?? 0))
  const since = witness.now - RELEASING
  for (const run of file.active) if (run.life === life) return
  const ended = life.ended.get(job)
  if (ended !== undefined && (ended >= since || life.troubleWithin(ended, witness.now))) return
  if (ended !== undefined && overlapping(file.outages, ended, witness.now)) return
  witness.violate('skipped for a reason', `${life.node} says that ${job} runs there, which it does not`)
}

function onMissed(witness: Witness, life: Life, { job, scheduledAt, reason, until }: MissedEvent): void {
  const tick = +scheduledAt
  witness.tell(() => `${life.node} missed ${job} at ${scheduledAt.toISOString().slice(11, 23)}: ${reason}`)
  closeOrder(life, job, tick, +(until ?? tick))
  const catchesUp = life.optionsAt(job, witness.now)?.catchUp !== 'none'
  if (catchesUp) life.dropped.push({ job, first: tick, last: +(until ?? tick) })
  // What a job queued that catches up may have been planned before the store's clock was known.
  if (reason === 'late' && !catchesUp && tick > witness.now + TIMELY && witness.knowsTime(life))
    witness.violate(
      'missed for a reason',
      `${life.node} missed ${job} as late ${tick - witness.now} ms before its time`,
    )
  if (reason !== 'store-error') return
  const from = Math.min(tick, witness.now) - RELEASING
  const { outages } = witness.file(job)
  if (overlapping(outages, from, witness.now)) return
  if (!life.troubleWithin(from, witness.now) && !witness.storeTroubleWithin(from, witness.now))
    witness.violate('missed for a reason', `${life.node} missed ${job} as if the store had failed, which it has not`)
}
