import type { JobOptions } from '../../src/index.ts'
import type { Random } from './random.ts'
import type { SimulatedJob } from './scenario.ts'

const INTERVALS = [500, 1_000, 1_000, 2_000, 3_000, 5_000, 7_000, 10_000]
const FREQUENT = ['* * * * * *', '*/2 * * * * *', '*/5 * * * * *', '*/10 * * * * *']
/** Seconds and minutes of every kind; the last ones have fixed times in hours that are skipped or come twice. */
const RARE = [
  '*/10 * * * * *',
  '*/15 * * * * *',
  '30 * * * * *',
  '0 */2 * * * *',
  '* * * * *',
  '0,20,40 0-4 * * * *',
  '30 0-10 1-3 * * *',
  '0 0 1-3 * * *',
  '30 1 2 * * *',
  '0 2 2 * * *',
  '15 1 1 * * *',
]
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']

/** Some schedules, and more jobs: as in real clusters most jobs tick together with others. */
export function makeJobs(random: Random): SimulatedJob[] {
  const schedules = Array.from({ length: random.int(2, 4) }, () => makeSchedule(random))
  return Array.from({ length: random.int(4, 14) }, (_, index) =>
    makeJob(random, `job-${index}`, random.pick(schedules)),
  )
}

export function makeSchedule(random: Random): Pick<JobOptions, 'every' | 'cron' | 'timezone'> {
  if (random.chance(0.45)) return { every: random.pick(INTERVALS) }
  if (random.chance(0.45)) return { cron: random.pick(FREQUENT), timezone: 'UTC' }
  return { cron: random.pick(random.chance(0.1) ? FREQUENT : RARE), timezone: random.pick(ZONES) }
}

function makeJob(
  random: Random,
  name: string,
  schedule: Pick<JobOptions, 'every' | 'cron' | 'timezone'>,
): SimulatedJob {
  const takes = random.chance(0.5) ? 0 : random.chance(0.7) ? random.int(1, 800) : random.int(1_000, 20_000)
  const options = { name, ...schedule, ...makeOptions(random, takes) }
  return { takes, options, obeys: random.chance(0.5), fails: random.chance(0.2) }
}

export function makeOptions(
  random: Random,
  takes: number,
): Omit<JobOptions, 'name'> & { readonly lockAtMostFor: number } {
  const lockAtMostFor = random.chance(0.7) ? Math.max(500, takes * 3) : random.int(200, 30_000)
  return {
    lockAtMostFor,
    lockAtLeastFor: random.chance(0.8) ? 0 : random.int(0, Math.min(lockAtMostFor, 5_000)),
    keepAlive: random.chance(0.5),
    onCrash: random.pick(['skip', 'rerun']),
    catchUp: random.pick(['none', 'none', 'none', 'latest', { window: '1m', max: 5 }]),
    runOnStart: random.chance(0.2),
    jitter: random.chance(0.8) ? 0 : random.int(0, 1_000),
    graceFor: random.pick(['30s', '10s', '5s', '1s']),
    onStoreError: random.chance(0.9) ? 'skip' : 'run',
  }
}
