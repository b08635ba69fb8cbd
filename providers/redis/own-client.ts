/* A client of our own, for a user who gives a URL, from the user's own installation of ioredis. */
import { type EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { StoreError } from '../../src/errors.ts'
import type { RedisClient, RedisCluster } from './client.ts'
import type { RedisAddress, TlsOptions } from './url.ts'

/** A server that is silent for so long (ms) has failed. */
export const TIMEOUT = 5_000

type IoRedis = (RedisClient | RedisCluster) &
  EventEmitter & {
    readonly status: string
    quit(): Promise<unknown>
    disconnect(): void
  }

/** Our own client, and what became of its connection. */
export interface OwnClient {
  readonly client: IoRedis
  isReady(): boolean
  isLost(): boolean
  /** Why the last attempt to connect failed, until one succeeds. */
  connectionError(): StoreError | undefined
  /** Why the present connection must not be used though it is there. */
  setUpError(): StoreError | undefined
  explain(error: unknown): unknown
  /** Calls back whenever the connection, or an attempt, succeeds or fails. Returns what ends that. */
  onChange(callback: () => void): () => void
}

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

/** Why nobody answers at the first of several hosts: of Sentinels and the nodes of a cluster ioredis doesn't say it. */
async function reasonAt(address: RedisAddress, tls: object | undefined): Promise<unknown> {
  if (address.kind !== 'sentinel' && address.kind !== 'cluster') return undefined
  const target = { ...address.hosts[0], timeout: PROBE_TIMEOUT } as { host: string; port: number }
  const secured = tls !== undefined && address.kind === 'cluster'
  const socket = secured ? connectTls({ ...target, ...tls }) : connect(target)
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT)
    await once(socket, secured ? 'secureConnect' : 'connect', { signal })
    return undefined
  } catch (error) {
    return error
  } finally {
    socket.destroy()
  }
}

const PROBE_TIMEOUT = 500

/** What ioredis says of a command that it could not send, or whose connection was lost, without a word of why. */
const WITHOUT_REASON =
  /max retries per request|Connection is closed|isn't writeable|refresh slots cache|None of startup nodes/

function watch(client: IoRedis, findReason: () => Promise<unknown>): OwnClient {
  let wasReady = false
  let lastError: unknown
  let setUpError: StoreError | undefined
  const callbacks = new Set<() => void>()
  const changed = (): void => {
    for (const callback of [...callbacks]) callback()
  }
  const failed = (error: unknown): void => {
    const { command, lastNodeError } = error as { command?: { name?: string }; lastNodeError?: unknown }
    // ioredis goes on with database 0.
    if (command?.name === 'select') {
      setUpError = new StoreError(`could not select the database of the Redis URL: ${textOf(error)}`, { cause: error })
    }
    const reason = lastNodeError ?? error
    if (!isBare(reason)) {
      lastError = reason
      changed()
      return
    }
    lastError ??= reason
    findReason().then((found) => {
      if (found !== undefined && !isReady()) lastError = found
      changed()
    })
  }
  // Every command that fails rejects; without a listener ioredis would also write to the console.
  client.on('error', failed)
  client.on('node error', failed)
  client.on('connect', () => {
    setUpError = undefined
  })
  client.on('ready', () => {
    wasReady = true
    if (!setUpError) lastError = undefined
    changed()
  })
  const isReady = (): boolean => client.status === 'ready'
  const connectionError = (): StoreError | undefined =>
    lastError === undefined
      ? undefined
      : new StoreError(`Redis can't be reached: ${textOf(lastError)}`, { cause: lastError })
  return {
    client,
    isReady,
    isLost: () => wasReady && !isReady(),
    connectionError,
    setUpError: () => setUpError,
    explain(error) {
      return isBare(error) ? (connectionError() ?? error) : error
    },
    onChange(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
  }
}

const isBare = (error: unknown): boolean => error instanceof Error && WITHOUT_REASON.test(error.message)

/** Of an attempt with several addresses Node.js tells the errors, and no message. */
function textOf(error: unknown): string {
  const { message, errors, code } = error as { message?: string; errors?: readonly Error[]; code?: string }
  return message || errors?.map((each) => each.message).join(', ') || code || String(error)
}
