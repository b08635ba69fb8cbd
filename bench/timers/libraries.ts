import { fileURLToPath } from 'node:url'
import { load } from '../coordinators/rival.ts'

/** A timer to set: a cron pattern with seconds, in UTC. */
export interface TimerJob {
  readonly name: string
  readonly pattern: string
  work(): void
}

/** Sets timers; answers when they are set. */
export type SetTimers = (jobs: readonly TimerJob[]) => Promise<void>

interface Bree {
  default: new (options: object) => { run(name: string): void; start(): Promise<void> }
}

/**
 * ticklock with locks, ticks and all, over the memory provider; the others do just the timers. Each is loaded when it is called, so that its code counts
 * as its memory and as its start.
 */
export const libraries: Readonly<Record<string, SetTimers>> = {
  async ticklock(jobs) {
    const { memory } = await import('../../providers/memory/index.ts')
    const { Scheduler } = await import('../../src/index.ts')
    const scheduler = new Scheduler({ provider: memory(), logger: false, defaults: { lockAtMostFor: '1h' } })
    for (const { name, pattern, work } of jobs) scheduler.job({ name, cron: pattern }, work)
    keep.push(scheduler)
    await scheduler.start()
  },
  async croner(jobs) {
    const { Cron } = await load<{ Cron: new (pattern: string, options: object, work: () => void) => object }>('croner')
    for (const { pattern, work } of jobs) keep.push(new Cron(pattern, { timezone: 'UTC' }, work))
  },
  async 'node-cron'(jobs) {
    const cron = await load<{ schedule(pattern: string, work: () => void, options: object): object }>('node-cron')
    for (const { pattern, work } of jobs) keep.push(cron.schedule(pattern, work, { timezone: 'UTC' }))
  },
  async cron(jobs) {
    const { CronJob } = await load<{ CronJob: { from(options: object): object } }>('cron')
    for (const { pattern, work } of jobs)
      keep.push(CronJob.from({ cronTime: pattern, onTick: work, start: true, timeZone: 'UTC' }))
  },
  async 'node-schedule'(jobs) {
    const { scheduleJob } = await load<{ scheduleJob(rule: object, work: () => void): object }>('node-schedule')
    for (const { pattern, work } of jobs) keep.push(scheduleJob({ rule: pattern, tz: 'Etc/UTC' }, work))
  },
  /** A worker thread for each run is its way; here a run is the work itself, so that just its timers are measured. */
  async bree(jobs) {
    const works = new Map(jobs.map(({ name, work }) => [name, work]))
    const path = fileURLToPath(new URL('./worker.js', import.meta.url))
    const Bree = (await load<Bree>('bree')).default
    const bree = new (class extends Bree {
      override run(name: string): void {
        works.get(name)?.()
      }
    })({
      root: false,
      logger: false,
      silenceRootCheckError: true,
      cronValidate: { preset: 'npm-node-cron', override: { useSeconds: true } },
      jobs: jobs.map(({ name, pattern }) => ({ name, path, cron: pattern, hasSeconds: true })),
    })
    keep.push(bree)
    await bree.start()
  },
}

/** What must not be collected while it is measured. */
const keep: object[] = []
