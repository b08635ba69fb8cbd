import { load, type Rival } from '../rival.ts'

interface AgendaModule {
  Agenda: new (
    options: object,
  ) => {
    define(name: string, work: () => Promise<void>, options: object): void
    every(interval: string, name: string): Promise<unknown>
    on(event: 'error', listener: () => void): unknown
    start(): Promise<void>
    stop(): Promise<void>
  }
}

interface MongoBackendModule {
  MongoBackend: new (options: { readonly address: string }) => object
}

/** Jobs don't know the time that they are for. */
export const agenda: Rival = {
  name: 'agenda',
  store: 'mongodb',
  every: 1,
  async start({ url, jobs, run }) {
    const { Agenda } = await load<AgendaModule>('agenda')
    const { MongoBackend } = await load<MongoBackendModule>('@agendajs/mongo-backend')
    const limits = { maxConcurrency: 2 * jobs.length, defaultConcurrency: 2 * jobs.length }
    const scheduler = new Agenda({ backend: new MongoBackend({ address: url }), processEvery: 250, ...limits })
    scheduler.on('error', () => {})
    for (const job of jobs) scheduler.define(job, () => run(job, undefined), { lockLifetime: 5_000 })
    await scheduler.start()
    for (const job of jobs) await scheduler.every('1 second', job)
    return () => scheduler.stop()
  },
}
