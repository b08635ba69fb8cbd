/* Where the provider gets its client from: the user's, or one of our own for a URL. */
import { StoreError } from '../../src/errors.ts'
import { isCluster, type RedisClient, type RedisCluster } from './driver.ts'
import { openClient, TIMEOUT } from './own-client.ts'
import type { OwnClient } from './own-client-watch.ts'
import { parseRedisUrl } from './url.ts'

export interface ClientSource {
  /** Resolves to a client that is connected, as far as it says so. */
  get(): Promise<RedisClient | RedisCluster>
  /** Whether the connection was there, and is gone. */
  isLost(): boolean
  /** What a failed command rejects with: the error of the connection behind it, where that is known. */
  explain(error: unknown): unknown
  close(): Promise<void>
}

/** The user's client: used as it is, never closed. */
export function givenClient(given: RedisClient | RedisCluster): ClientSource {
  const client = routable(given)
  let wasReady = false
  return {
    get: async () => client,
    isLost() {
      const { status } = given as { readonly status?: string }
      wasReady ||= status === 'ready'
      return wasReady && status !== undefined && status !== 'ready'
    },
    explain: (error) => error,
    close: async () => {},
  }
}

/**
 * ioredis with `enableAutoPipelining` routes a command of a cluster by its first argument, which is no key of a script:
 * then each is a pipeline of its own, which is routed by its keys.
 */
function routable(client: RedisClient | RedisCluster): RedisClient | RedisCluster {
  if (!isCluster(client) || !client.options?.enableAutoPipelining || !client.pipeline) return client
  const alone =
    (command: 'evalsha' | 'eval') =>
    async (...args: readonly (string | number)[]): Promise<unknown> => {
      const [result] = (await client.pipeline?.([[command, ...args]]).exec()) ?? []
      if (!result || result[0]) throw result?.[0] ?? new StoreError('the Redis cluster client returned no result')
      return result[1]
    }
  return {
    evalsha: alone('evalsha'),
    eval: alone('eval'),
    ping: () => client.ping(),
    nodes: (role) => client.nodes(role),
  }
}

/** A call fails after so long (ms) when the last attempt to connect did, and after `TIMEOUT` in any case. */
const CONNECT_TIMEOUT = 1_000

/** A client made by the first `get()`. After `close()` every `get()` rejects. */
export function clientFor(url: string): ClientSource {
  const address = parseRedisUrl(url)
  let opening: Promise<OwnClient> | undefined
  let opened: OwnClient | undefined
  let readiness: Promise<void> | undefined
  let closed: Promise<void> | undefined

  const open = async (): Promise<OwnClient> => {
    opening ??= openClient(address)
    try {
      opened = await opening
      return opened
    } catch (error) {
      opening = undefined // The package, or the file of the authority, may be there the next time.
      throw error
    }
  }

  return {
    async get() {
      if (closed) throw new StoreError('the redis provider is closed')
      const own = opened ?? (await open())
      if (!own.isReady()) {
        // All who wait share one wait, or each would hang listeners on the client.
        readiness ??= untilReady(own).finally(() => {
          readiness = undefined
        })
        await readiness
      }
      const failure = own.setUpError()
      if (failure) throw failure
      return own.client
    },
    isLost: () => opened?.isLost() ?? false,
    explain: (error) => opened?.explain(error) ?? error,
    close() {
      closed ??= opening ? opening.then(end, () => {}) : Promise.resolve()
      return closed
    },
  }
}

/** Resolves when the client is connected and set up. Rejects with the reason for which it can't be. */
function untilReady(own: OwnClient): Promise<void> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const end = (error?: StoreError): void => {
      clearTimeout(connectTimer)
      clearTimeout(timeout)
      unsubscribe()
      if (error) reject(error)
      else resolve()
    }
    const failIfLate = (): void => {
      const failure = isLate && own.connectionError()
      if (failure) end(failure)
    }
    const unsubscribe = own.onChange(() => (own.isReady() ? end() : failIfLate()))
    const connectTimer = setTimeout(() => {
      isLate = true
      failIfLate()
    }, CONNECT_TIMEOUT)
    const timeout = setTimeout(
      () => end(own.connectionError() ?? new StoreError(`Redis did not answer within ${TIMEOUT} ms`)),
      TIMEOUT,
    )
  })
}

/** Ends politely what still answers, and at once what doesn't. */
async function end({ client, isReady }: OwnClient): Promise<void> {
  try {
    if (isReady()) await client.quit()
  } catch {
    // It is ended below in any case.
  } finally {
    client.disconnect()
  }
}
