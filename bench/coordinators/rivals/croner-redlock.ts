import { EACH_SECOND, FAR_WITH_SECONDS, LEASE, load, type Rival } from '../rival.ts'
import { type RedisOfBench, redisOfBench } from './redis-client.ts'

interface Croner {
  Cron: new (pattern: string, options: object, work: () => Promise<void>) => { stop(): void }
}

interface Redlock {
  Redlock: new (
    clients: RedisOfBench[],
    options: { readonly retryCount: number },
  ) => {
    on(event: 'error', listener: () => void): unknown
    acquire(keys: string[], ms: number): Promise<{ release(): Promise<unknown> }>
  }
}

/** A lock by the job's name around what croner calls, as articles show it. */
export const cronerRedlock: Rival = {
  name: 'croner-redlock',
  store: 'redis',
  every: 1,
  async start({ url, jobs, run, idle }) {
    const { Cron } = await load<Croner>('croner')
    const { Redlock } = await load<Redlock>('@sesamecare-oss/redlock')
    const client = await redisOfBench(url)
    const redlock = new Redlock([client], { retryCount: 0 })
    redlock.on('error', () => {})
    const once = async (job: string): Promise<void> => {
      const tick = Math.round(Date.now() / 1_000) * 1_000
      const lock = await redlock.acquire([`lock:${job}`], LEASE).catch(() => undefined)
      if (!lock) return
      await run(job, tick)
      await lock.release().catch(() => {})
    }
    const pattern = idle ? FAR_WITH_SECONDS : EACH_SECOND
    const crons = jobs.map((job) => new Cron(pattern, { timezone: 'UTC' }, () => once(job)))
    return async () => {
      for (const cron of crons) cron.stop()
      client.disconnect()
    }
  },
}
