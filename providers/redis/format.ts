/* The string of a record, see lua/batch.ts. */
import type { LockRecord, UnreadableRecord } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { type RawLock, readRecord, unreadable } from '../../src/provider/record.ts'

/** A time as the scripts write it, in whole µs. */
export const milliseconds = (microseconds: unknown): number => Number(microseconds) / 1000

export const escapeText = (text: string): string =>
  text.includes(' ') || text.includes('%') || text.includes('\n')
    ? text.replace(/[% \n]/g, (char) => (char === '\n' ? '%0A' : encodeURIComponent(char)))
    : text

const unescapeText = (text: string): string =>
  text.includes('%') ? text.replace(/%(?:25|20|0A)/g, decodeURIComponent) : text

/** The record in a string that a script has found to be one. */
export function recordIn(name: string, text: string, storeTime: number): LockRecord {
  const [line = '', vote] = text.split('\n')
  const [, lockUntil, lockedAt, fencingToken, tick, flags = '', holder = '', metadata] = line.split(' ')
  const lockedBy = holder === '-' ? '' : unescapeText(holder)
  const at = milliseconds(lockedAt)
  // An open vote is nobody's grant, so its tick doesn't count.
  const [, priorTick, priorDone] = vote !== undefined && flags.includes('v') ? vote.split(' ') : []
  const lastTick = priorTick ?? tick
  return {
    name,
    lockedBy,
    lockedAt: at === 0 ? writtenByShedLock(lockedBy) : at,
    lockUntil: milliseconds(lockUntil),
    fencingToken: Number(fencingToken),
    lastTick: lastTick === '-' ? undefined : Number(lastTick),
    tickDone: priorDone === undefined ? flags.includes('d') : priorDone === 'd',
    metadata: metadata === undefined ? undefined : unescapeText(metadata),
    paused: flags.includes('p'),
    storeTime,
  }
}

/** Whether it is a vote of a quorum that no majority has confirmed, as far as this server knows. */
export const isOpenVote = (text: string): boolean => text.split(' ', 6)[5]?.includes('v') ?? false

/** ShedLock keeps the time in the holder: `ADDED:2024-05-01T10:00:00.000Z@host:uuid`. For any other it isn't known: 0. */
function writtenByShedLock(lockedBy: string): number {
  const written = /^ADDED:([^@]+)@/.exec(lockedBy)?.[1]
  return (written && Date.parse(written)) || 0
}

export function textOf(lock: StoredLock): string {
  const { lockedBy, lockedAt, lockUntil, fencingToken, lastTick = '-', tickDone, metadata, paused } = lock
  const flags = (tickDone ? 'd' : '') + (paused ? 'p' : '') || '-'
  const words = ['v1', micros(lockUntil), micros(lockedAt), fencingToken, lastTick, flags, escapeText(lockedBy) || '-']
  return [...words, ...(metadata === undefined ? [] : [escapeText(metadata)])].join(' ')
}

const micros = (ms: number): string => String(BigInt(Math.max(0, Math.round(ms * 1000))))

/** What a key holds that is no record. */
export interface Unreadable {
  /** The name's own key, or ShedLock's. */
  readonly which: 'record' | 'shedLock'
  /** By which a script knows it again. */
  readonly mark: string
  readonly text: string
}

/** The reply of a script that found something else than a record. */
export function unreadableIn(value: unknown): Unreadable | undefined {
  if (typeof value !== 'string' || !value.startsWith('unreadable ')) return undefined
  const [, which, mark = '', text = ''] = /^unreadable (\d) (\S+) (.*)$/s.exec(value) ?? []
  return { which: which === '2' ? 'shedLock' : 'record', mark, text }
}

/** Its error. */
export function unreadableRecord(name: string, key: string, found: Unreadable, storeTime: number): UnreadableRecord {
  if (!isDigest(found.mark)) {
    const problem = `the key ${JSON.stringify(key)} holds a ${found.mark}, not a string`
    return { name, unreadable: unreadable(name, problem), storeTime }
  }
  const raw = rawLock(name, found.text)
  const record = raw && readRecord(raw, storeTime)
  if (record && 'unreadable' in record) return record
  const problem = `the key ${JSON.stringify(key)} holds ${JSON.stringify(found.text.slice(0, 60))}, not a record of this version of ticklock`
  return { name, unreadable: unreadable(name, problem), storeTime }
}

/** What is left of a record in a string that is none: of no form at all, its last tick is lost. */
export const rawLockIn = (name: string, { text }: Unreadable): RawLock =>
  rawLock(name, text) ?? { name, lastTick: text }

const isDigest = (mark: string): boolean => /^[\da-f]{40}$/.test(mark)

function rawLock(name: string, text: string): RawLock | undefined {
  const [version, lockUntil, lockedAt, token, tick, flags, holder, metadata, ...more] = (
    text.split('\n')[0] ?? ''
  ).split(' ')
  if (version !== 'v1' || flags === undefined || more.length > 0) return undefined
  return {
    name,
    lockUntil: isWhole(lockUntil) ? milliseconds(lockUntil) : lockUntil,
    lockedAt: isWhole(lockedAt) ? milliseconds(lockedAt) : lockedAt,
    fencingToken: isWhole(token) ? Number(token) : token,
    lastTick: tick === '-' ? undefined : Number.isNaN(Number(tick)) ? tick : Number(tick),
    tickDone: flags.includes('d'),
    paused: flags.includes('p'),
    lockedBy: holder === undefined || holder === '' ? undefined : holder === '-' ? '' : unescapeText(holder),
    metadata: metadata === undefined ? undefined : unescapeText(metadata),
  }
}

const isWhole = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text)
