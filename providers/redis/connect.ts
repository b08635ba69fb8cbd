/* A client of our own, for a user who gives a URL. Made at the first call, from the user's own installation of ioredis. */
import { type EventEmitter, once } from 'node:events'
import { StoreError } from '../../src/errors.ts'
import type { RedisClient, RedisCluster } from './client.ts'
import { parseRedisUrl, type RedisAddress } from './url.ts'

/** Where the provider gets its client from. */
export interface ClientSource {
  get(): Promise<RedisClient | RedisCluster>
  close(): Promise<void>
}

/** A server that is silent for so long (ms) has failed. */
const TIMEOUT = 5_000

/** Our own client, on top of what the provider uses. */
type OwnClient = (RedisClient | RedisCluster) &
  EventEmitter & {
    readonly status: string
    quit(): Promise<unknown>
    disconnect(): void
  }

/** The user's client: used as it is, never closed. */
export const givenClient = (client: RedisClient | RedisCluster): ClientSource => ({
  get: async () => client,
  close: async () => {},
})

/** A client made by the first `get()`. After `close()` every `get()` rejects. */
export function clientFor(url: string): ClientSource {
  const address = parseRedisUrl(url)
  let client: Promise<OwnClient> | undefined
  let readiness: Promise<void> | undefined
  let closed: Promise<void> | undefined

  const opened = (): Promise<OwnClient> => {
    client ??= open(address).catch((error) => {
      client = undefined // The package may be there the next time.
      throw error
    })
    return client
  }
  // All who wait share one wait, or each would hang listeners on the client.
  const ready = (cluster: OwnClient): Promise<void> => {
    readiness ??= untilReady(cluster).finally(() => {
      readiness = undefined
    })
    return readiness
  }

  return {
    async get() {
      if (closed) throw new StoreError('the redis provider is closed')
      const own = await opened()
      // The one client without a queue for those who come before it is ready, see create().
      if (address.kind === 'cluster' && own.status !== 'ready') await ready(own)
      return own
    },
    close() {
      closed ??= client ? client.then(end, () => {}) : Promise.resolve()
      return closed
    },
  }
}

async function open(address: RedisAddress): Promise<OwnClient> {
  const { Redis, Cluster } = await loadDriver()
  const client = create(Redis, Cluster, address)
  // Every command that fails rejects; without a listener ioredis would also write to the console.
  client.on('error', () => {})
  return client
}

async function loadDriver() {
  try {
    return await import('ioredis')
  } catch (cause) {
    throw new StoreError('a Redis URL needs the package ioredis: run `npm install ioredis`', { cause })
  }
}

function create(
  Redis: typeof import('ioredis').Redis,
  Cluster: typeof import('ioredis').Cluster,
  address: RedisAddress,
): OwnClient {
  const timeouts = {
    connectTimeout: TIMEOUT,
    commandTimeout: TIMEOUT,
    // A connection that stays silent is given up, or each further command would wait for it as well.
    socketTimeout: TIMEOUT + 1_000,
    // An error after about a second without a server, not silence: who asks decides whether to ask again.
    maxRetriesPerRequest: 3,
    retryStrategy: (attempt: number) => Math.min(attempt * 100, 2_000),
    // After a fail-over behind one name the old connection leads to a replica.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  }
  if (address.kind === 'single') return new Redis(address.url, timeouts)
  const { username, password, tls, hosts } = address
  const login = {
    ...timeouts,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  }
  if (address.kind === 'sentinel') {
    return new Redis({
      ...login,
      sentinels: [...hosts],
      name: address.master,
      db: address.db,
      enableTLSForSentinelMode: tls,
    })
  }
  const { retryStrategy: _, ...redisOptions } = login
  // Without the queue: it has no time limit, and what waits in it would be sent after an outage, when nobody waits for it any more.
  return new Cluster([...hosts], { redisOptions, enableOfflineQueue: false, slotsRefreshTimeout: TIMEOUT })
}

/** Waits until a cluster has told its nodes, rejects when it has failed to or time is up. */
async function untilReady(cluster: OwnClient): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT)
  try {
    await once(cluster, 'ready', { signal })
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new StoreError(`the Redis cluster did not tell its nodes within ${TIMEOUT} ms`, { cause })
  }
}

/** Ends politely what still answers, and at once what doesn't. */
async function end(client: OwnClient): Promise<void> {
  try {
    if (client.status === 'ready') await client.quit()
  } catch {
    // It is ended below in any case.
  } finally {
    client.disconnect()
  }
}
