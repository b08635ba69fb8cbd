/* What a Redis holds, read by the tests' own client. */
import type { Cluster, Redis } from 'ioredis'
import type { LockKeys } from '../../providers/redis/keys.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { StoredRecord } from '../../src/testing/index.ts'

/** The record; and ShedLock's key and its end (ms), as they are at one moment. */
const LOOK = `
local time = redis.call('TIME')
local shared = KEYS[2] and redis.call('GET', KEYS[2]) or false
local until_ms = KEYS[2] and time[1] * 1000 + time[2] / 1000 + redis.call('PTTL', KEYS[2]) or 0
return { redis.call('GET', KEYS[1]), shared, string.format('%.3f', until_ms) }`

type Looked = [record: string | null, holder: string | null, until: string]

/** The record of a lock, or `undefined` when there is none. */
export async function lookAtRedis(client: Redis | Cluster, keys: LockKeys): Promise<StoredRecord | undefined> {
  const names = keys.shedLock === undefined ? [keys.record] : [keys.record, keys.shedLock]
  const [text, value, until] = (await client.eval(LOOK, names.length, ...names)) as Looked
  const holder = value === null ? null : unescaped(value)
  const record = text === null ? undefined : readText(text)
  if (keys.shedLock === undefined || (record && holder === record.lockedBy)) return record
  if (holder === null) return record && { ...record, lockUntil: Math.min(record.lockUntil, Number(until)) }
  const foreign = { lockedBy: holder, lockedAt: 0, lockUntil: Number(until), metadata: undefined }
  return { fencingToken: 0, lastTick: undefined, tickDone: false, paused: false, ...record, ...foreign }
}

const LINE = /^v1 (\d+) (\d+) (\d+) (-?\d*) (-|d?p?v?) ([^ \n]+)(?: ([^ \n]*))?(?:\n(\S+) (-?\d*) ([d-]))?$/

/** As documented in lua/batch.ts. */
function readText(text: string): StoredRecord {
  const [line, until, at, token, tick, flags = '', holder = '', metadata, ballot, priorTick, priorDone] =
    LINE.exec(text) ?? []
  if (line === undefined) throw new TypeError(`no record: ${text}`)
  // The tick of an open vote is nobody's.
  const isOpen = ballot !== undefined && flags.includes('v')
  const last = isOpen ? priorTick : tick
  return {
    lockedBy: holder === '-' ? '' : unescaped(holder),
    lockedAt: Number(at) / 1_000,
    lockUntil: Number(until) / 1_000,
    fencingToken: Number(token),
    lastTick: last === '-' ? undefined : Number(last),
    tickDone: isOpen ? priorDone === 'd' : flags.includes('d'),
    metadata: metadata === undefined ? undefined : unescaped(metadata),
    paused: flags.includes('p'),
  }
}

/** What the key of a record holds. */
export function recordText(record: StoredLock): string {
  const { lockedBy, lockedAt, lockUntil, fencingToken, lastTick = '-', tickDone, metadata, paused } = record
  const flags = (tickDone ? 'd' : '') + (paused ? 'p' : '') || '-'
  const words = ['v1', lockUntil * 1_000, lockedAt * 1_000, fencingToken, lastTick, flags, escaped(lockedBy)]
  return [...words, ...(metadata === undefined ? [] : [escaped(metadata)])].join(' ')
}

const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll(' ', '%20').replaceAll('\n', '%0A')

const unescaped = (text: string): string => text.replaceAll(/%(25|20|0A)/g, decodeURIComponent)

/** Ways in which a key comes to hold what is no record. */
export const redisPoisons = (
  client: Redis | Cluster,
  keyOf: (name: string) => string,
): Record<string, (name: string) => Promise<unknown>> => {
  const replace = (put: (key: string) => Promise<unknown>) => async (name: string) => {
    await client.del(keyOf(name))
    await put(keyOf(name))
  }
  const now = Date.now() * 1_000
  const spoil = (text: string) => replace((key) => client.set(key, text))
  return {
    'a list': replace((key) => client.rpush(key, 'not a lock')),
    'a hash': replace((key) => client.hset(key, 'locked_by', 'x')),
    'a sorted set': replace((key) => client.zadd(key, 1, 'x')),
    'a stream': replace((key) => client.xadd(key, '*', 'a', 'b') as Promise<unknown>),
    garbage: spoil('not a record'),
    'nothing at all': spoil(''),
    'bytes that are no text': replace((key) => client.set(key, Buffer.from([0xff, 0xfe, 0x00, 0x80]))),
    'JSON of another program': spoil('{"lock_until": 1}'),
    'the holder alone, as ShedLock writes it': spoil('ADDED:2024-05-01T10:00:00.000Z@jvm-host:4f0c'),
    'a later version': spoil(`v2 ${now} ${now} ${now} - - a#b`),
    'a record without its holder': spoil(`v1 ${now} ${now} ${now} - -`),
    'a record with more than it should have': spoil(`v1 ${now} ${now} ${now} - - a#b c d`),
    'a token of 10^30': spoil(`v1 ${now} ${now} 1000000000000000000000000000000 - - a#b`),
    'a token of 10^30 in a lock that is held': spoil(`v1 ${now + 3.6e9} ${now} 1${'0'.repeat(30)} - - a#b`),
    'a token of 2^53 - 1': spoil(`v1 ${now} ${now} 9007199254740991 - - a#b`),
    'a token beyond 2^53': spoil(`v1 ${now} ${now} 9007199254740993 - - a#b`),
    'a negative token': spoil(`v1 ${now} ${now} -5 - - a#b`),
    'an end out of range': spoil(`v1 99999999999999999999 ${now} ${now} - - a#b`),
    'an end that is a date': spoil(`v1 2024-05-01T10:00:00Z ${now} ${now} - - a#b`),
    'a beginning that is infinite': spoil(`v1 ${now} inf ${now} - - a#b`),
    'a tick that is no number': spoil(`v1 ${now} ${now} ${now} soon - a#b`),
    'a tick that is not a number': spoil(`v1 ${now} ${now} ${now} nan - a#b`),
    'a tick out of range': spoil(`v1 ${now} ${now} ${now} 1e300 - a#b`),
    'an unknown flag': spoil(`v1 ${now} ${now} ${now} - x a#b`),
  }
}

/** The server's clock, in ms. */
export async function redisNow(client: Redis | Cluster): Promise<number> {
  const [seconds, microseconds] = (await client.time()) as unknown as [string, string]
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000
}
