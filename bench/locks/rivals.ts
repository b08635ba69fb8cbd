import { postgres } from '../../providers/postgres/index.ts'
import { redis } from '../../providers/redis/index.ts'
import { Locker } from '../../src/index.ts'
import { load } from '../coordinators/rival.ts'

/** Takes a lock and gives it back, once. */
export type Pair = () => Promise<unknown>

export interface LockRival {
  readonly name: string
  /** Answers the pair, and how to end what was opened. */
  open(url: string): Promise<{ pair: Pair; close(): unknown }>
}

const KEY = 'bench'
const LEASE = 60_000

type Client = Parameters<typeof redis>[0] & { disconnect(): void }

/** On Redis every library gets a client of the same kind, with a connection of its own. */
const onRedis = (name: string, pairOver: (client: Client) => Promise<Pair>): LockRival => ({
  name,
  async open(url) {
    const { Redis } = await load<{ Redis: new (url: string) => Client }>('ioredis')
    const client = new Redis(url)
    return { pair: await pairOver(client), close: () => client.disconnect() }
  },
})

interface Redlock4 {
  default: new (
    clients: Client[],
    options: object,
  ) => { lock(key: string, ms: number): Promise<{ unlock(): Promise<void> }> }
}

interface RedlockFork {
  Redlock: new (
    clients: Client[],
    options: object,
  ) => { acquire(keys: string[], ms: number): Promise<{ release(): Promise<unknown> }> }
}

interface RedlockUniversal<Handle> {
  IoredisAdapter: { from(client: Client): object }
  createLock(options: object): { acquire(): Promise<Handle>; release(handle: Handle): Promise<boolean> }
}

interface Verrou {
  LockFactory: new (
    store: object,
  ) => { createLock(key: string, ms: number): { acquireImmediately(): Promise<boolean>; release(): Promise<void> } }
}

export const onRedisServer: readonly LockRival[] = [
  onRedis('ticklock', async (client) => {
    const locker = new Locker({ provider: redis(client) })
    return async () => (await locker.obtain(KEY, LEASE)).release()
  }),
  onRedis('redlock', async (client) => {
    const { default: Redlock } = await load<Redlock4>('redlock')
    const redlock = new Redlock([client], { retryCount: 0 })
    return async () => (await redlock.lock(`redlock:${KEY}`, LEASE)).unlock()
  }),
  onRedis('@sesamecare-oss/redlock', async (client) => {
    const { Redlock } = await load<RedlockFork>('@sesamecare-oss/redlock')
    const redlock = new Redlock([client], { retryCount: 0 })
    return async () => (await redlock.acquire([`fork:${KEY}`], LEASE)).release()
  }),
  onRedis('redlock-universal', async (client) => {
    const { IoredisAdapter, createLock } = await load<RedlockUniversal<object>>('redlock-universal')
    const lock = createLock({ adapter: IoredisAdapter.from(client), key: `universal:${KEY}`, ttl: LEASE })
    return async () => lock.release(await lock.acquire())
  }),
  onRedis('verrou', async (client) => {
    const { LockFactory } = await load<Verrou>('@verrou/core')
    const { redisStore } = await load<{ redisStore(options: object): { factory(): object } }>(
      '@verrou/core/drivers/redis',
    )
    const locks = new LockFactory(redisStore({ connection: client }).factory())
    return async () => {
      const lock = locks.createLock(`verrou:${KEY}`, LEASE)
      if (await lock.acquireImmediately()) await lock.release()
    }
  }),
]

interface AdvisoryLock {
  default: (url: string) => (name: string) => { tryLock(): Promise<boolean>; unlock(): Promise<void> }
}

export const onPostgresServer: readonly LockRival[] = [
  {
    name: 'ticklock',
    async open(url) {
      const provider = postgres(url)
      await provider.setup()
      const locker = new Locker({ provider })
      return { pair: async () => (await locker.obtain(KEY, LEASE)).release(), close: () => provider.close() }
    },
  },
  {
    name: 'advisory-lock',
    async open(url) {
      // Read by a loader of CommonJS, which may wrap the default once more.
      const { default: read } = await load<AdvisoryLock & { default: Partial<AdvisoryLock> }>('advisory-lock')
      const create = typeof read === 'function' ? read : (read as AdvisoryLock).default
      const mutex = create(url)(KEY)
      // It keeps its connection for good; the process ends it.
      return { pair: async () => void ((await mutex.tryLock()) && (await mutex.unlock())), close: () => {} }
    },
  },
]
