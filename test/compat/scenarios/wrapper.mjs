// Two of these run side by side on one store. Each wraps a job of each second for LIBRARY, which is installed as PACKAGE,
// and prints the ticks that it runs. With TICK=option the options name the pattern. With BETWEEN=yes a function stands in between.
import { isMainThread } from 'node:worker_threads'
import pg from 'pg'
import { currentLock, Locker } from 'ticklock'
import { postgres } from 'ticklock/postgres'

const { LIBRARY: library, PACKAGE: name } = process.env
const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL, max: 2 })
const provider = postgres({ pool, table: 'compat' })
const locker = new Locker({ provider })
const adapter = library === 'toad-scheduler' ? 'locked' : library
const { locked } = await import(`ticklock/${adapter}`)
const pattern = '* * * * * *'
const tickOption = process.env.TICK === 'option' ? { cron: pattern } : {}
const wrapped = locked({ locker, name: `${library} ${name}`, lockAtMostFor: '10s', ...tickOption }, () => {
  console.log(`tick ${currentLock()?.tick?.toISOString()}`)
})
const job = process.env.BETWEEN === 'yes' ? () => wrapped() : wrapped

/** Each starts the job and returns what stops it. */
const start = {
  croner({ Cron = undefined, default: fallback }) {
    const Job = Cron ?? fallback.Cron ?? fallback
    const started = new Job(pattern, { catch: () => {} }, job)
    return () => started.stop()
  },
  cron({ CronJob = undefined, default: fallback }) {
    process.on('unhandledRejection', () => {}) // what onTick rejects with, before cron 4
    const started = new (CronJob ?? fallback.CronJob)(pattern, job, null, true)
    return () => started.stop()
  },
  'node-cron'({ schedule = undefined, default: fallback }) {
    const started = (schedule ?? fallback.schedule)(pattern, job)
    return () => started.stop()
  },
  'node-schedule'({ default: fallback }) {
    const started = fallback.scheduleJob(pattern, job)
    started.on('error', () => {})
    return () => started.cancel()
  },
  'toad-scheduler'({ ToadScheduler, CronJob, SimpleIntervalJob, AsyncTask }) {
    const scheduler = new ToadScheduler()
    const task = new AsyncTask('task', job, () => {})
    if (CronJob) scheduler.addCronJob(new CronJob({ cronExpression: pattern }, task))
    else scheduler.addSimpleIntervalJob(new SimpleIntervalJob({ seconds: 1 }, task))
    return () => scheduler.stop()
  },
  async bree({ default: Bree }) {
    const path = new URL(import.meta.url).pathname // the worker's code is below
    const jobs = [{ name: 'job', path, interval: 1_000 }]
    const bree = new Bree({ root: false, logger: false, jobs })
    await bree.start()
    return () => bree.stop()
  },
}

if (isMainThread) {
  await provider.setup()
  const stop = await start[library](await import(name))
  console.log('ready')
  process.once('SIGTERM', async () => {
    await stop()
    await pool.end()
  })
} else {
  await job().catch(() => {})
  await pool.end()
}
