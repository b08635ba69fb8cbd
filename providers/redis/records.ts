/* Turns requests into what the scripts are told, and their answers into what the contract says. */
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockRecord,
  Refused,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import type { ScriptAnswer } from './script-runner.ts'
import { milliseconds } from './scripts.ts'

const optional = (value: number | undefined): string => (value === undefined ? '' : String(value))

export const acquireArgs = (request: AcquireRequest): string[] => [
  holderOf(request),
  String(request.lockAtMostFor),
  optional(request.tick),
  request.onCrash === 'rerun' ? '1' : '',
  String(request.maxClockSkew),
  request.metadata === undefined ? '' : `=${request.metadata}`,
]

export const extendArgs = (request: ExtendRequest): string[] => [
  holderOf(request),
  String(request.lockAtMostFor),
  String(request.lockAtLeastFor),
  request.mayShortenUntil === undefined ? '' : String(Math.round(request.mayShortenUntil * 1000)),
]

export const releaseArgs = (request: ReleaseRequest): string[] => [
  holderOf(request),
  String(request.lockAtLeastFor),
  optional(request.tick),
]

/** As `fields` in lua/record.ts writes it. Missing fields are `null`. */
type Fields = readonly [
  lockedBy: string,
  lockedAt: string | null,
  lockUntil: string,
  fencingToken: string,
  lastTick: string | null,
  tickDone: number | string,
  metadata: string | null,
  paused: number | string,
]

export function acquireResult({ name, owner }: AcquireRequest, { value, storeTime }: ScriptAnswer): AcquireResult {
  if (typeof value === 'string') {
    const [lockedAt, lockUntil, fencingToken] = value.split(' ') as [string, string, string]
    return { granted: true, lease: toLease(name, owner, ['', lockedAt, lockUntil, fencingToken], storeTime) }
  }
  const [reason, fields] = value as [Refused['reason'], Fields | null]
  return { granted: false, reason, record: fields ? toRecord(name, fields, storeTime) : undefined, storeTime }
}

export const extendResult = ({ name, owner }: ExtendRequest, { value, storeTime }: ScriptAnswer): Lease | undefined =>
  value ? toLease(name, owner, value as Fields, storeTime) : undefined

export const readResult = (
  { name }: { readonly name: string },
  { value, storeTime }: ScriptAnswer,
): LockRecord | undefined => (value ? toRecord(name, value as Fields, storeTime) : undefined)

/** The first of them. */
type LeaseFields = readonly [
  lockedBy: string,
  lockedAt: string | null,
  lockUntil: string,
  fencingToken: string,
  ...unknown[],
]

/** A 1 or 0; a client may be told to answer numbers as strings. */
export const yes = (_: unknown, { value }: ScriptAnswer): boolean => Number(value) === 1

function toLease(name: string, owner: string, fields: LeaseFields, storeTime: number): Lease {
  const [, acquiredAt, lockUntil, fencingToken] = fields
  return {
    name,
    owner,
    fencingToken: Number(fencingToken),
    acquiredAt: milliseconds(acquiredAt),
    lockUntil: milliseconds(lockUntil),
    storeTime,
  }
}

function toRecord(name: string, fields: Fields, storeTime: number): LockRecord {
  const [lockedBy, lockedAt, lockUntil, fencingToken, lastTick, tickDone, metadata, paused] = fields
  return {
    name,
    lockedBy,
    lockedAt: lockedAt === null ? foreignLockedAt(lockedBy) : milliseconds(lockedAt),
    lockUntil: milliseconds(lockUntil),
    fencingToken: Number(fencingToken),
    lastTick: lastTick === null ? undefined : Number(lastTick),
    tickDone: Number(tickDone) === 1,
    metadata: metadata ?? undefined,
    paused: Number(paused) === 1,
    storeTime,
  }
}

/** ShedLock keeps the time in the holder: `ADDED:2024-05-01T10:00:00.000Z@host:uuid`. For any other it isn't known: 0. */
function foreignLockedAt(lockedBy: string): number {
  const written = /^ADDED:([^@]+)@/.exec(lockedBy)?.[1]
  return (written && Date.parse(written)) || 0
}
