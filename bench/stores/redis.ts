import { Redis } from 'ioredis'
import { redis } from '../../providers/redis/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

/** One connection, as ioredis has it. */
export async function measuredRedis(url: string): Promise<MeasuredStore> {
  const client = new Redis(url)
  const recorder = new Recorder(client, ['evalsha', 'eval'])
  return {
    name: 'redis',
    provider: redis(recorder.client),
    connections: 1,
    record: (work) => recorder.record(work),
    forget: () => client.flushdb(),
    readOne: (name) => client.get(`ticklock:${name}`),
    close: () => client.quit(),
  }
}
