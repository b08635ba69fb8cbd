/* What becomes of the connections of a client of our own. */
import { type EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { StoreError } from '../../src/errors.ts'
import type { RedisClient, RedisCluster } from './driver.ts'
import type { RedisAddress } from './url.ts'

export type IoRedis = (RedisClient | RedisCluster) &
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

/** Why nobody answers at the first of several hosts: of Sentinels and the nodes of a cluster ioredis doesn't say it. */
export async function reasonAt(address: RedisAddress, tls: object | undefined): Promise<unknown> {
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

export function watch(client: IoRedis, findReason: () => Promise<unknown>): OwnClient {
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
export function textOf(error: unknown): string {
  const { message, errors, code } = error as { message?: string; errors?: readonly Error[]; code?: string }
  return message || errors?.map((each) => each.message).join(', ') || code || String(error)
}
