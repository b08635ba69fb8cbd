/* What a Redis holds, read by the tests' own client. */
import type { Cluster, Redis } from 'ioredis'
import type { LockKeys } from '../../providers/redis/keys.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { StoredRecord } from '../../src/testing/index.ts'

/** The key's value and end (ms), and the state, as they are at one moment. */
const LOOK = `
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + time[2] / 1000 + redis.call('PTTL', KEYS[1])
local state = redis.call('TYPE', KEYS[2]).ok == 'hash' and redis.call('HGETALL', KEYS[2]) or redis.call('GET', KEYS[2])
return { redis.call('GET', KEYS[1]), string.format('%.3f', until_ms), state }`

type Looked = [holder: string | null, until: string, state: string | string[] | null]

type State = Readonly<Record<string, string | undefined>>

/** The record of a lock, or `undefined` when there is none. */
export async function lookAtRedis(client: Redis | Cluster, keys: LockKeys): Promise<StoredRecord | undefined> {
  const [holder, until, found] = (await client.eval(LOOK, 2, keys.lock, keys.state)) as Looked
  const state = typeof found === 'string' ? readState(found) : fieldsOf(found ?? [])
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

/** Of a hash, as a quorum has it. */
const fieldsOf = (fields: readonly string[]): State =>
  Object.fromEntries(fields.flatMap((key, at) => (at % 2 === 0 ? [[key, fields[at + 1]]] : [])))

/** Of a text, as documented in lua/state.ts. */
function readState(text: string): State {
  const [, at, until, token, tick, flags, length, rest = ''] =
    /^(\d+) (\d+) (\d+) (\S*) (d?p?) (\d+):(.*)$/s.exec(text) ?? []
  const bytes = Buffer.from(rest)
  const metadata = bytes.subarray(Number(length)).toString()
  return {
    locked_by: bytes.subarray(0, Number(length)).toString(),
    locked_at: at,
    lock_until: until,
    fencing_token: token,
    last_tick: tick || undefined,
    tick_done: flags?.includes('d') ? '1' : '0',
    metadata: metadata ? metadata.slice(1) : undefined,
    paused: flags?.includes('p') ? '1' : '0',
  }
}

/** What the state key of a record holds. */
export function stateText(record: StoredLock): string {
  const { lockedBy, lockedAt, lockUntil, fencingToken, lastTick = '', tickDone, metadata, paused } = record
  const flags = (tickDone ? 'd' : '') + (paused ? 'p' : '')
  const holder = `${Buffer.byteLength(lockedBy)}:${lockedBy}${metadata === undefined ? '' : `=${metadata}`}`
  return `${lockedAt * 1_000} ${lockUntil * 1_000} ${fencingToken} ${lastTick} ${flags} ${holder}`
}

/** The server's clock, in ms. */
export async function redisNow(client: Redis | Cluster): Promise<number> {
  const [seconds, microseconds] = (await client.time()) as unknown as [string, string]
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000
}
