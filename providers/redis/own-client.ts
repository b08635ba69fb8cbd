/* A client of our own, for a user who gives a URL, from the user's own installation of ioredis. */
import { readFile } from 'node:fs/promises'
import { StoreError } from '../../src/errors.ts'
import { type IoRedis, type OwnClient, reasonAt, textOf, watch } from './own-client-watch.ts'
import type { RedisAddress, TlsOptions } from './url.ts'

/** A server that is silent for so long (ms) has failed. */
export const TIMEOUT = 5_000

export async function openClient(address: RedisAddress): Promise<OwnClient> {
  const { Redis, Cluster } = await loadDriver()
  const tls = address.tls && (await tlsOptions(address.tls))
  return watch(create(Redis, Cluster, address, tls), () => reasonAt(address, tls))
}

async function loadDriver() {
  try {
    return await import('ioredis')
  } catch (cause) {
    throw new StoreError('a Redis URL needs the package ioredis: run `npm install ioredis`', { cause })
  }
}

async function tlsOptions({ ca, verify }: TlsOptions) {
  const options = { rejectUnauthorized: verify }
  if (ca === undefined) return options
  try {
    return { ...options, ca: await readFile(ca, 'utf8') }
  } catch (cause) {
    throw new StoreError(`the file that the parameter 'ca' of the Redis URL names can't be read: ${textOf(cause)}`, {
      cause,
    })
  }
}

function create(
  Redis: typeof import('ioredis').Redis,
  Cluster: typeof import('ioredis').Cluster,
  address: RedisAddress,
  tls: object | undefined,
): IoRedis {
  const { username, password, family } = address
  const options = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(family !== undefined && { family }),
    ...(tls && { tls }),
    connectTimeout: TIMEOUT,
    commandTimeout: TIMEOUT,
    // A connection that stays silent is given up, or each further command would wait for it as well.
    socketTimeout: TIMEOUT + 1_000,
    // Without the queue: what waits in it would be sent after an outage, when nobody waits for it any more.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // After a fail-over behind one name the old connection leads to a replica.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  }
  if (address.kind === 'cluster') {
    // Names are resolved for each connection, not before it: certificates are for names.
    const dnsLookup = (host: string, callback: (error: null, address: string) => void) => callback(null, host)
    return new Cluster([...address.hosts], {
      redisOptions: options,
      enableOfflineQueue: false,
      slotsRefreshTimeout: TIMEOUT,
      ...(tls && { dnsLookup }),
    })
  }
  const retryStrategy = (attempt: number) => Math.min(attempt * 100, 2_000)
  const { db } = address
  if (address.kind === 'socket') return new Redis({ ...options, retryStrategy, db, path: address.path })
  if (address.kind === 'single') return new Redis({ ...options, retryStrategy, db, ...address.hosts[0] })
  const { hosts: sentinels, master: name } = address
  const enableTLSForSentinelMode = tls !== undefined
  return new Redis({ ...options, retryStrategy, db, sentinels: [...sentinels], name, enableTLSForSentinelMode })
}
