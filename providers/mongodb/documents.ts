/* Documents as the driver returns them, and as records. */
import { types } from 'node:util'
import type { StoreError } from '../../src/errors.ts'
import type { LockRecord, UnreadableRecord } from '../../src/provider/contract.ts'
import { isUnreadable, type RawLock, readRecord } from '../../src/provider/record.ts'
import { NOW } from './conditions.ts'

/** The fields of a record, and the time by which it was read or changed. */
export const FIELDS = {
  lockedBy: 1,
  lockedAt: 1,
  lockUntil: 1,
  fencingToken: 1,
  lastTick: 1,
  tickDone: 1,
  metadata: 1,
  paused: 1,
  releasedBy: 1,
  rerun: 1,
  storeTime: NOW,
} as const

export type Row = Readonly<Partial<Record<keyof typeof FIELDS | '_id', unknown>>>

/** What stands in the collection for some names. */
export interface Reading {
  readonly records: ReadonlyMap<string, LockRecord>
  /** Why the others can't be read that are there. */
  readonly unreadable: ReadonlyMap<string, StoreError>
  /** What a record has besides. */
  readonly rows: ReadonlyMap<string, Row>
  /** The server's clock; unknown when none of the names has a record. */
  readonly storeTime: number | undefined
}

export function readingOf(rows: readonly Row[]): Reading {
  const found = rows.map(recordOf)
  return {
    records: new Map(found.flatMap((record) => (isUnreadable(record) ? [] : [[record.name, record]]))),
    unreadable: new Map(found.flatMap((record) => (isUnreadable(record) ? [[record.name, record.unreadable]] : []))),
    rows: new Map(rows.map((row) => [String(row._id), row])),
    storeTime: found[0]?.storeTime,
  }
}

/** ShedLock's records have the first three fields alone. */
export function recordOf(row: Row): LockRecord | UnreadableRecord {
  const raw: RawLock = {
    name: row._id,
    lockedBy: row.lockedBy,
    lockedAt: timeOf(row.lockedAt),
    lockUntil: timeOf(row.lockUntil),
    fencingToken: row.fencingToken == null ? 0 : numberOf(row.fencingToken),
    lastTick: timeOf(row.lastTick),
    tickDone: row.tickDone ?? false,
    metadata: row.metadata,
    paused: row.paused ?? false,
  }
  return readRecord(raw, Number(row.storeTime))
}

/** Only a date is a time: the server compares no number with its clock. */
const timeOf = (value: unknown): unknown =>
  types.isDate(value) ? value.getTime() : typeof value === 'number' || typeof value === 'bigint' ? `${value}` : value

const NUMBERS: readonly unknown[] = ['Long', 'Double', 'Int32', 'Decimal128']

/** A number in any of the forms that the client's settings give it: number, bigint, the driver's own Long, Double, Int32 or Decimal128. */
const numberOf = (value: unknown): unknown =>
  NUMBERS.includes((value as { readonly _bsontype?: unknown })._bsontype) ? Number(value) : value
