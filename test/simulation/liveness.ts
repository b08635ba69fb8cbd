import { parseDuration } from '../../src/duration.ts'
import type { JobOptions } from '../../src/index.ts'
import { readSchedule, type Schedule } from '../../src/scheduler/plan/schedule.ts'
import type { Cluster } from './cluster.ts'
import { type JobAccount, REPORTED, type TickAccount } from './job-account.ts'
import { catchUpOf } from './judge-catch-up-order.ts'
import type { Life } from './life.ts'
import { clearParts, hasClear, type Outage, overlapping } from './outages.ts'
import type { Fault } from './scenario.ts'
import { JUMP_FOLLOWED, TIMELY } from './witness.ts'

/** How long a process may take from its start until it plays its part, in ms: it waits for the store's clock for as long as `storeTimeout`. */
const STARTING = 7_000
/** How long after trouble a node may take to come to itself, in ms. */
const RECOVERING = 1_000
/** How long a message takes at most when all is well, and what the timers add, in ms. */
const PROMPT = 50
/** By how much a node may come later to what is not its first choice, in ms, and which part of the grace at most. */
const SPREAD = 500
const SPREAD_PART = 4
/** So much time without any trouble is enough for an ask in any case: the longest pause, the longest wait for an answer, and the ask. */
const ENOUGH = 2_000 + 5_000 + 1_000
/** A request whose record is locked by a stranger is repeated for so long from its tick on, and then within such delays, in ms. */
const REPEATING = 4_500
const REPEATED = 250 + 2 * PROMPT
/** Nodes reload one after another for so long, in ms. */
const RELOADING = 4_000
/** A first choice is requested within so many ms after its tick, by nodes that know the store's clock. */
const AT_ONCE = 20
/** Of so many ticks at least, this part is requested at once: the rest was the first choice of a node that is gone, or left to others to meet them. */
const FEW_TICKS = 50
const LEAST_AT_ONCE = 1 / 5
/** Ticks so close to the end need not have run yet, in ms. */
const TAIL = 5_000
/** A tick whose node crashed is taken over within so long after its lease has lapsed, in ms: the drift of the clocks while it was waited for, and the ask. */
const TAKEOVER = 250
/** A job that catches up is done with it within so long after a tick, in ms: its window, and what it takes to ask. */
const CATCHING_UP = 60_000 + ENOUGH

export interface Liveness {
  readonly due: number
  readonly run: number
  /** How many ticks did not run, by reason. */
  readonly reasons: Readonly<Record<string, number>>
}

/** A schedule of a job, and when all nodes have it. */
interface Reign {
  readonly options: JobOptions
  readonly schedule: Schedule
  readonly from: number
  readonly until: number
}

/** A tick to be judged: when nodes ask for it, and until when they may. */
interface Judged {
  readonly file: JobAccount
  readonly options: JobOptions
  readonly schedule: Schedule
  readonly time: number
  /** The last moment of a first ask that nothing hinders. */
  readonly asked: number
  /** The end of its grace. */
  readonly over: number
  /** When the job is registered anew with other options, or the run ends. */
  readonly end: number
}

/**
 * A tick is not missed while a node and the store were up for the length of its grace. Each node that was fit has asked for each tick, whoever got it;
 * each tick that did not run has a reason, which is judged and counted. And once all faults are over, nothing is left but an earlier run.
 */
export function judgeLiveness(cluster: Cluster): Liveness {
  const { scenario, witness } = cluster
  const lives = [...cluster.machines.values()].flatMap((machine) => machine.lives)
  const reasons: Record<string, number> = {}
  const schedules = new Map<string, Schedule>()
  const calm: boolean[] = []
  let due = 0
  let run = 0
  for (const { options } of scenario.jobs) {
    const file = witness.file(options.name)
    for (const reign of reignsOf(cluster, options, schedules)) {
      for (const judged of ticksOf(file, reign)) {
        due++
        judgeNodes(cluster, lives, judged)
        judgeRepeats(cluster, lives, judged)
        const atOnce = wasRequestedAtOnce(cluster, lives, judged)
        if (atOnce !== undefined) calm.push(atOnce)
        const reason = whyNotRun(cluster, lives, judged)
        if (reason === undefined) run++
        else if (reason === '')
          witness.violate('liveness', `${options.name} at ${show(judged.time)} was missed without need`, judged.time)
        else reasons[reason] = (reasons[reason] ?? 0) + 1
        judgeTakeover(cluster, judged)
      }
    }
  }
  judgeAtOnce(cluster, calm)
  return { due, run, reasons }
}

const show = (time: number): string => new Date(time).toISOString()

function reignsOf({ scenario }: Cluster, first: JobOptions, schedules: Map<string, Schedule>): Reign[] {
  const { start, length, faults } = scenario
  const all: { options: JobOptions; at: number }[] = [{ options: first, at: start - RELOADING }]
  for (const fault of faults)
    if (fault.kind === 'reload' && fault.job === first.name) all.push({ options: fault.options, at: start + fault.at })
  return all.map(({ options, at }, index) => {
    const schedule = readSchedule(options, options.name, (key) => schedules.get(key))
    schedules.set(schedule.key, schedule)
    return { options, schedule, from: at + RELOADING, until: (all[index + 1]?.at ?? start + length - TAIL) - 1 }
  })
}

function* ticksOf(file: JobAccount, { options, schedule, from, until }: Reign): Generator<Judged> {
  const graceFor = parseDuration(options.graceFor ?? '30s', { option: 'graceFor' })
  const jitter = parseDuration(options.jitter ?? 0, { option: 'jitter' })
  let time = schedule.next(from)
  while (time !== undefined && time <= until) {
    const next = schedule.next(time)
    const grace = Math.min(graceFor, (next ?? Number.POSITIVE_INFINITY) - time)
    const asked = time + Math.max(Math.min(jitter, grace / 2), Math.min(SPREAD, grace / SPREAD_PART)) + PROMPT
    if (asked > until) return
    yield { file, options, schedule, time, asked, over: time + grace, end: until }
    time = next
  }
}

/** Each node that was fit has asked for the tick, or the job still ran there; and on time by the store's clock, if nothing was in its way. */
function judgeNodes(cluster: Cluster, lives: readonly Life[], judged: Judged): void {
  const { file, options, time } = judged
  // While a job catches up its new ticks wait, and not each of them has its turn.
  if (options.catchUp !== 'none') return
  const dealtWith = file.ticks.get(time)?.dealtWith
  for (const life of lives) {
    const at = dealtWith?.get(life)
    if (at !== undefined) {
      const late = at - judged.asked
      if (late > TIMELY && wasSet(cluster, life, judged))
        cluster.witness.violate('on time', `${life.node} came ${late} ms late to ${file.name} at ${show(time)}`, time)
      continue
    }
    if (!wasFit(cluster, life, judged)) continue
    cluster.witness.violate(
      'a silent node',
      `${life.node} was fit and has not asked for ${file.name} at ${show(time)}`,
      time,
    )
  }
}

/** How long a request is repeated before its node pauses: not for longer than the lease that it is about. */
const repeatedFor = ({ lockAtMostFor }: JobOptions): number =>
  Math.min(REPEATING, parseDuration(lockAtMostFor, { option: 'lockAtMostFor' }) - PROMPT)

/** A request for a record that a stranger has locked is repeated, and decided soon after that lock has ended. */
function judgeRepeats(cluster: Cluster, lives: readonly Life[], judged: Judged): void {
  const { file, options, time, asked, over } = judged
  const locked = file.outages.find(({ from, until }) => from <= time && until > asked)
  if (locked?.why !== 'record-locked' || locked.until - time > repeatedFor(options)) return
  const by = locked.until + REPEATED
  if (options.catchUp !== 'none' || by > over || overlapping(cluster.outages, time - RECOVERING, by)) return
  if (file.outages.some((each) => each !== locked && each.from <= by && each.until >= time)) return
  const tick = file.ticks.get(time)
  if (tick?.reasons.has('running') || (tick?.decidedAt ?? Number.POSITIVE_INFINITY) <= by) return
  for (const life of lives) {
    if (!knewItsTime(cluster, life, judged) || life.troubleWithin(time - RECOVERING, by)) continue
    if (!life.upThrough(time - STARTING, by)) continue
    cluster.witness.violate(
      'a busy record',
      `${life.node} did not repeat its request for ${file.name} at ${show(time)} after its record was free`,
      by,
    )
    return
  }
}

/** Whether some node requested a tick at once; undefined when something may have kept them from it. */
function wasRequestedAtOnce(cluster: Cluster, lives: readonly Life[], judged: Judged): boolean | undefined {
  const { file, options, time, over } = judged
  const mayWait = options.catchUp !== 'none' || (options.jitter ?? 0) !== 0 || over - time < 1_000
  if (mayWait || !lives.some((life) => wasSet(cluster, life, judged))) return undefined
  const all = [...(file.ticks.get(time)?.dealtWith.values() ?? [])]
  return all.length === 0 ? undefined : Math.min(...all) - time <= AT_ONCE
}

/** Leaving ticks to others must not make most of them late. */
function judgeAtOnce({ end, witness }: Cluster, calm: readonly boolean[]): void {
  const atOnce = calm.filter(Boolean).length
  if (calm.length < FEW_TICKS || atOnce >= calm.length * LEAST_AT_ONCE) return
  witness.violate('preference', `of ${calm.length} ticks only ${atOnce} were requested at once`, end)
}

/** Whether a node had its timers set by the store's clock before a tick, and nothing kept it from asking: what was before is no excuse. */
function wasSet(cluster: Cluster, life: Life, judged: Judged): boolean {
  const { time, asked } = judged
  const from = time - PROMPT
  if ((life.link.knewTimeFirst ?? time) > from || !knewItsTime(cluster, life, judged)) return false
  return !overlapping(cluster.outages, from, asked) && !life.troubleWithin(from, asked)
}

/** Whether nothing kept a node from asking: at once, or at least for long enough within the grace. */
function wasFit(cluster: Cluster, life: Life, judged: Judged): boolean {
  const { time, asked, over } = judged
  if (!knewItsTime(cluster, life, judged)) return false
  const troubles = [...cluster.outages, ...judged.file.outages, ...life.outages, ...life.link.troubles]
  if (!overlapping(troubles, time - RECOVERING, asked)) return true
  // It notices that its machine slept when its next timer fires, which may be after the grace.
  if (life.sleptWithin(time, over)) return false
  return life.upThrough(time - STARTING, over) && hasClear(troubles, time, Math.min(over, cluster.end), ENOUGH)
}

/** Whether a node was up and had the job at a tick, and had to know that it was time for it. */
function knewItsTime(cluster: Cluster, life: Life, { file, time, asked, over }: Judged): boolean {
  if (!life.upThrough(time - STARTING, asked)) return false
  if (life.reloaded(file.name, time - RELOADING, over)) return false
  if (life.link.knewTimeFirst === undefined || life.link.knewTimeFirst > time) return false
  const troubles = [cluster.outages, life.outages, life.link.troubles]
  // A clock that was set while the store could not be asked counts until it can.
  for (const jumpedAt of life.jumps)
    if (jumpedAt <= asked && time - jumpedAt < JUMP_FOLLOWED)
      if (troubles.some((each) => overlapping(each, jumpedAt - ENOUGH, asked))) return false
  return true
}

/** Why a tick did not run: undefined when it did, empty when there is no reason. */
function whyNotRun(cluster: Cluster, lives: readonly Life[], judged: Judged): string | undefined {
  const { file, time, asked, over, options } = judged
  const tick = file.ticks.get(time)
  if (tick?.runs.length) return undefined
  if (tick?.grants.length) return grantFailed(cluster, tick) ? 'granted to a node that failed' : ''
  if (tick?.reasons.has('held')) return 'held by an earlier run, or lockAtLeastFor'
  if (tick?.reasons.has('tick-taken')) return 'overtaken by a later tick'
  if (tick?.reasons.has('running')) return 'an earlier run goes on'
  if (wasOwed(cluster, lives, judged)) return ''
  if (options.catchUp !== 'none' && lives.some((life) => life.droppedWhileCatchingUp(file.name, time)))
    return 'dropped while catching up'
  // Only the newest that are owed are caught up with.
  if (
    options.catchUp !== 'none' &&
    file.overtakenBy(time, time + CATCHING_UP + parseDuration(options.lockAtMostFor, { option: 'lockAtMostFor' }))
  )
    return 'passed over while catching up'
  if (options.catchUp !== 'none' && neverIdle(judged)) return 'still waiting while catching up'
  if (lives.some((life) => wasFit(cluster, life, judged))) return ''
  if (overlapping(cluster.outages, time - RECOVERING, over)) return 'the store was down or slow'
  if (overlapping(file.outages, time - RECOVERING, over)) return 'its record was locked or unreadable'
  const up = lives.filter((life) => life.upThrough(time - STARTING, asked))
  if (up.length === 0) return 'no node was up'
  return up.every((life) => overlapping(life.outages, time - RECOVERING, over))
    ? 'no node was fit'
    : 'the network was bad'
}

const runsOf = (file: JobAccount): Outage[] =>
  [...file.runs.values()].map(({ startedAt, endedAt = Number.POSITIVE_INFINITY }) => {
    return { from: startedAt, until: endedAt, why: 'a run' }
  })

/** Whether the job ran all the time from this tick to the end of its options, so that the tick still waits for its turn, or was dropped by a reload. */
function neverIdle({ file, time, end }: Judged): boolean {
  return !hasClear(runsOf(file), time, end, Math.min(ENOUGH, end - time))
}

/**
 * Whether a node was fit for long enough, while this was one of the newest ticks that the job catches up with, and no later one had been granted. Then nobody's
 * asking for it is a fault, whatever kept all nodes from it on its time.
 */
function wasOwed(cluster: Cluster, lives: readonly Life[], judged: Judged): boolean {
  const { file, options, schedule, time, end } = judged
  const catchUp = catchUpOf(options)
  // A failover may have made it a job that was never planned.
  if (!catchUp || file.mayRunOpen || file.forgotten.size > 0) return false
  // A repair may have ended all ticks that were owed.
  if (file.outages.some(({ why, until }) => why === 'record-poisoned' && until >= time)) return false
  let until = Math.min(end, cluster.end, time + catchUp.window - ENOUGH)
  let newer: number | undefined = time
  for (let count = 0; count < catchUp.max && newer !== undefined && newer < until; count++) newer = schedule.next(newer)
  until = Math.min(until, newer ?? until)
  if (until - time < ENOUGH) return false
  const runs = runsOf(file)
  for (const life of lives) {
    if ((life.link.knewTimeFirst ?? Number.POSITIVE_INFINITY) > time) continue
    // The first tick is owed by a node that planned it.
    if (!file.grantedBefore(time) && life.bornAt + STARTING > time) continue
    if (life.jumps.some((at) => at > time - JUMP_FOLLOWED && at < until)) continue
    const troubles = [cluster.outages, file.outages, life.outages, life.link.troubles, runs].flat()
    for (const part of clearParts(troubles, Math.max(time, life.bornAt + STARTING), until)) {
      const by = part.from + ENOUGH
      if (by > part.until || !life.upThrough(part.from, by) || life.reloaded(file.name, time - RELOADING, by)) continue
      // Whoever is refused an older one waits with this one.
      if (!file.overtakenBy(time, by) && !file.heldAt.some((at) => at >= part.from && at <= by)) return true
    }
  }
  return false
}

/** Whether something befell each node that was granted the tick, so that it did not run it. */
const grantFailed = ({ outages }: Cluster, { grants, told }: TickAccount): boolean =>
  grants.every(({ life, at }) => {
    const until = at + ENOUGH
    // An earlier run without its lock.
    if ((told.get(life) ?? 0) & (REPORTED.running ?? 0)) return true
    return (
      life.diedAt <= until ||
      life.stoppingAt <= until ||
      life.troubleWithin(at - RECOVERING, until) ||
      overlapping(outages, at - RECOVERING, until)
    )
  })

/** A tick whose node crashed is taken over, unless a later one has been granted. */
function judgeTakeover(cluster: Cluster, { file, options, time }: Judged): void {
  const tick = file.ticks.get(time)
  const grant = tick?.grants.at(-1)
  if (!tick || !grant || options.onCrash !== 'rerun' || grant.life.diedAt > tick.leaseUntil) return
  // What ran without its lock keeps a node from looking, too.
  if (file.mayRunOpen) return
  const by = Math.max(tick.leaseUntil, time) + TAKEOVER
  if (by > cluster.end || tick.done || file.overtakenBy(time, by) || overlapping(cluster.outages, grant.at, by)) return
  if (overlapping(file.outages, grant.at, by)) return
  // Who was granted it by hand meanwhile has the lock, and is waited for.
  if (cluster.scenario.faults.some((fault) => isTriggerOf(file, fault) && reaches(cluster, fault, grant.at, by))) return
  for (const [life, since] of tick.watchers) {
    // What it was told may have been sent long before.
    const asked = since - ENOUGH
    if (!life.upThrough(since, by) || life.troubleWithin(asked, by) || life.reloaded(file.name, asked, by)) continue
    // While the job runs there it looks again later.
    if ([...file.runs.values()].some((run) => run.life === life && (run.endedAt ?? by) >= since)) continue
    cluster.witness.violate(
      'rerun',
      `${file.name} at ${show(time)} was not taken over by ${life.node} after its node had crashed`,
      by,
    )
    return
  }
}

const isTriggerOf = (file: JobAccount, fault: Fault): boolean => fault.kind === 'trigger' && fault.job === file.name

/** Whether a fault lies in a span, or so shortly before that its asks may still be on the way. */
const reaches = ({ scenario }: Cluster, { at }: Fault, from: number, until: number): boolean =>
  scenario.start + at >= from - ENOUGH && scenario.start + at <= until
