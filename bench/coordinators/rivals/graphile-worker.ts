import { FAR, load, type Rival } from '../rival.ts'

interface Payload {
  readonly _cron: { readonly ts: string }
}

interface GraphileWorker {
  run(options: object): Promise<{ stop(): Promise<void> }>
  runMigrations(options: object): Promise<void>
  Logger: new (factory: () => () => void) => object
}

const quiet = async (worker: GraphileWorker) => new worker.Logger(() => () => {})

/** Its crontab, which knows no seconds: every minute. */
export const graphileWorker: Rival = {
  name: 'graphile-worker',
  store: 'postgres',
  every: 60,
  async prepare(connectionString) {
    const worker = await load<GraphileWorker>('graphile-worker')
    await worker.runMigrations({ connectionString, logger: await quiet(worker) })
  },
  async start({ url, jobs, run, idle }) {
    const worker = await load<GraphileWorker>('graphile-worker')
    const work = (job: string) => (payload: Payload) => run(job, Date.parse(payload._cron.ts))
    const runner = await worker.run({
      connectionString: url,
      concurrency: jobs.length,
      noHandleSignals: true,
      logger: await quiet(worker),
      taskList: Object.fromEntries(jobs.map((job) => [job, work(job)])),
      crontab: jobs.map((job) => `${idle ? FAR : '* * * * *'} ${job}`).join('\n'),
    })
    return () => runner.stop()
  },
}
