import { parseDuration } from '../../src/duration.ts'
import { readSchedule } from '../../src/scheduler/schedule.ts'
import type { Cluster, Outage } from './run-scenario.ts'
import type { Scenario, SimulatedJob } from './scenario.ts'
import type { Witness } from './witness.ts'

/** How long a process may take until it plays its part, in ms: to start, to learn the store's clock, to come to itself after a pause. */
const SETTLING = 7_000
/** Ticks so close to the end need not have run yet. */
const TAIL = 12_000

/**
 * A tick is not missed while a node and the store were up for the length of its grace, and nobody had the lock. And once all faults are over,
 * every tick runs that nothing of its own job stands in the way of.
 */
export function judgeLiveness(scenario: Scenario, witness: Witness, cluster: Cluster): { due: number; run: number } {
  let due = 0
  let run = 0
  for (const job of scenario.jobs) {
    const { name } = job.options
    const ran = new Set(witness.runs.filter((each) => each.job === name).map(({ tick }) => tick))
    const schedule = readSchedule(job.options, name)
    const end = scenario.start + scenario.length - TAIL
    for (let tick = schedule.next(scenario.start); tick !== undefined && tick <= end; tick = schedule.next(tick)) {
      due++
      if (ran.has(tick)) run++
      else if (!excused(scenario, witness, cluster, job, tick, schedule.next(tick) ?? end)) {
        witness.violate('liveness', `${name} at ${new Date(tick).toISOString()} was missed without need`, tick)
      }
    }
  }
  return { due, run }
}

function excused(
  scenario: Scenario,
  witness: Witness,
  cluster: Cluster,
  { options, takes }: SimulatedJob,
  tick: number,
  next: number,
): boolean {
  const grace = Math.min(parseDuration(options.graceFor ?? 0, { option: 'graceFor' }), next - tick)
  const until = tick + grace
  // It was granted, and its node crashed, was paused, or could not use it in time.
  if (witness.granted.has(`${options.name} ${tick}`)) return true
  // Somebody had the lock: an earlier run, lockAtLeastFor, a crash that has not lapsed, or a later tick that a node ahead of its time took.
  const jitter = parseDuration(options.jitter ?? 0, { option: 'jitter' })
  const leases = witness.leases.get(options.name) ?? []
  if (leases.some(({ from, until: end }) => from <= until + jitter && end >= tick)) return true
  if (witness.runs.some((run) => run.job === options.name && run.tick > tick && run.startedAt < until + jitter))
    return true
  if (overlaps(cluster.storeDown, tick - SETTLING, until + jitter)) return true
  if (scenario.weather.slow > 0 || scenario.weather.lostRequest > 0 || scenario.weather.lostReply > 0) {
    if (cluster.lives.every((lives) => lives.every(({ link }) => link.troubledUntil >= tick))) return true
  }
  // Some node was fit all the time, or nobody is to blame.
  return !cluster.lives.some((lives, index) => {
    const life = lives.at(-1)
    if (!life || life.bornAt + SETTLING > tick || life.link.troubledUntil >= tick) return false
    // The job still ran there, with its lease or after the loss of it.
    const runs = witness.runs.filter((run) => run.job === options.name && run.clock === life.clock)
    if (runs.some((run) => run.startedAt <= until + jitter && (run.endedAt ?? until) >= tick)) return false
    return !overlaps(cluster.unfit[index] ?? [], tick - SETTLING, until + takes + jitter)
  })
}

const overlaps = (outages: readonly Outage[], from: number, until: number): boolean =>
  outages.some((outage) => outage.from <= until && outage.until >= from)
