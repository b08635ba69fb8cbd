import { load } from '../rival.ts'

/** What the rivals on Redis use of ioredis. */
export interface RedisOfBench {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>
  del(key: string): Promise<number>
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

/** The same client with the same settings for all. While the store is down, commands wait for it. */
export async function redisOfBench(url: string): Promise<RedisOfBench> {
  const { Redis } = await load<{ Redis: new (url: string, options: object) => RedisOfBench }>('ioredis')
  const client = new Redis(url, { maxRetriesPerRequest: null })
  client.on('error', () => {})
  return client
}
