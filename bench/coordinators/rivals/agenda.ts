import { EACH_SECOND, FAR_WITH_SECONDS, LEASE, load, type Rival } from '../rival.ts'

interface AgendaModule {
  Agenda: new (
    options: object,
  ) => {
    define(name: string, work: () => Promise<void>, options: object): void
    every(interval: string, name: string, data?: object, options?: object): Promise<unknown>
    on(event: 'error', listener: () => void): unknown
    start(): Promise<void>
    stop(): Promise<void>
  }
}

interface MongoBackendModule {
  MongoBackend: new (options: { readonly address: string }) => object
}

/** By a pattern, since an interval of its begins when a run ends. Jobs don't know the time that they are for. */
export const agenda: Rival = {
  name: 'agenda',
  store: 'mongodb',
  every: 1,
  async start({ url, jobs, run, idle }) {
    const { Agenda } = await load<AgendaModule>('agenda')
    const { MongoBackend } = await load<MongoBackendModule>('@agendajs/mongo-backend')
    const limits = { maxConcurrency: 2 * jobs.length, defaultConcurrency: 2 * jobs.length }
    const scheduler = new Agenda({ backend: new MongoBackend({ address: url }), processEvery: 250, ...limits })
    scheduler.on('error', () => {})
    for (const job of jobs) scheduler.define(job, () => run(job, undefined), { lockLifetime: LEASE })
    await scheduler.start()
    const pattern = idle ? FAR_WITH_SECONDS : EACH_SECOND
    for (const job of jobs) await scheduler.every(pattern, job, {}, { timezone: 'UTC', skipImmediate: true })
    return () => scheduler.stop()
  },
}
