/* What a Redis holds, read by the tests' own client. */
import type { Cluster, Redis } from 'ioredis'
import type { LockKeys } from '../../providers/redis/keys.ts'
import type { StoredRecord } from '../../src/testing/index.ts'

/** The key's value and end (ms), and the hash, as they are at one moment. */
const LOOK = `
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + time[2] / 1000 + redis.call('PTTL', KEYS[1])
return { redis.call('GET', KEYS[1]), string.format('%.3f', until_ms), redis.call('HGETALL', KEYS[2]) }`

type Looked = [holder: string | null, until: string, fields: string[]]

/** The record of a lock, or `undefined` when there is none. */
export async function lookAtRedis(client: Redis | Cluster, keys: LockKeys): Promise<StoredRecord | undefined> {
  const [holder, until, fields] = (await client.eval(LOOK, 2, keys.lock, keys.state)) as Looked
  const state = Object.fromEntries(fields.flatMap((key, at) => (at % 2 === 0 ? [[key, fields[at + 1]]] : [])))
  if (holder === null && state.locked_by === undefined) return undefined
  return {
    lockedBy: holder ?? state.locked_by ?? '',
    lockedAt: Number(state.locked_at ?? 0) / 1_000,
    lockUntil: holder === null ? Number(state.lock_until) / 1_000 : Number(until),
    fencingToken: Number(state.fencing_token ?? 0),
    lastTick: state.last_tick === undefined ? undefined : Number(state.last_tick),
    tickDone: state.tick_done === '1',
    metadata: state.metadata,
    paused: state.paused === '1',
  }
}

/** The server's clock, in ms. */
export async function redisNow(client: Redis | Cluster): Promise<number> {
  const [seconds, microseconds] = (await client.time()) as unknown as [string, string]
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000
}
