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

/** Makes the class that keeps its jobs in a store, for a URL. */
type Backend = (url: string) => Promise<object>

const backendOf =
  (name: string, className: string, option: string): Backend =>
  async (url) => {
    const { [className]: Class } = await load<Record<string, new (options: object) => object>>(name)
    if (!Class) throw new Error(`${name} has no ${className}`)
    return new Class({ [option]: url })
  }

async function begin(backend: object, concurrency: number) {
  const { Agenda } = await load<AgendaModule>('agenda')
  const limits = { maxConcurrency: concurrency, defaultConcurrency: concurrency }
  const scheduler = new Agenda({ backend, processEvery: 250, ...limits })
  scheduler.on('error', () => {})
  return scheduler
}

/** By a pattern, since an interval of its begins when a run ends. Jobs don't know the time that they are for. */
const agendaOn = (store: Rival['store'], backend: Backend): Rival => ({
  name: `agenda-${store}`,
  store,
  every: 1,
  // Its tables, which several processes that start at once would make at the same time.
  async prepare(url) {
    const first = await begin(await backend(url), 1)
    await first.start()
    await first.stop()
  },
  async start({ url, jobs, run, idle }) {
    const scheduler = await begin(await backend(url), 2 * jobs.length)
    for (const job of jobs) scheduler.define(job, () => run(job, undefined), { lockLifetime: LEASE })
    await scheduler.start()
    const pattern = idle ? FAR_WITH_SECONDS : EACH_SECOND
    for (const job of jobs) await scheduler.every(pattern, job, {}, { timezone: 'UTC', skipImmediate: true })
    return () => scheduler.stop()
  },
})

export const agendaOnPostgres = agendaOn(
  'postgres',
  backendOf('@agendajs/postgres-backend', 'PostgresBackend', 'connectionString'),
)
export const agendaOnRedis = agendaOn('redis', backendOf('@agendajs/redis-backend', 'RedisBackend', 'connectionString'))
export const agendaOnMongodb = agendaOn('mongodb', backendOf('@agendajs/mongo-backend', 'MongoBackend', 'address'))
