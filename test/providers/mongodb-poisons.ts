/* Ways to spoil the record of a lock in MongoDB. */
import { type Collection, Decimal128, Double, Long, ObjectId, Timestamp } from 'mongodb'
import type { LockDocument } from './mongodb-subject.ts'

/** BSON has dates that no `Date` can hold: they are made of their milliseconds. */
const dateOf = (ms: number): Date => Object.assign(new Date(0), { getTime: () => ms, valueOf: () => ms })

/** Values that no lock can have, by field; undefined for a field that is missing. */
export const POISONS: Readonly<Record<string, readonly unknown[]>> = {
  lockUntil: [
    undefined,
    null,
    'soon',
    '2026-01-01T00:00:00Z',
    1_800_000_000_000,
    Number.NaN,
    true,
    dateOf(8.64e15 + 1),
    dateOf(-9e17),
    [new Date(8e12)],
    { at: new Date(0) },
    new Timestamp({ t: 1_800_000_000, i: 1 }),
    new ObjectId(),
  ],
  lockedAt: [undefined, null, 'then', new Long(0, 419), dateOf(9e15), [], {}],
  lockedBy: [undefined, null, 7, true, ['host'], { host: 1 }, new Date(0)],
  fencingToken: [
    'many',
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e30,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    new Double(9007199254740991),
    new Double(9007199254740992),
    Decimal128.fromString('7.5'),
    Decimal128.fromString('-1'),
    Decimal128.fromString('NaN'),
    Decimal128.fromString('1E+30'),
    [1],
    {},
    new Date(0),
  ],
  lastTick: ['never', 0, 1_800_000_000_000, dateOf(8.64e15 + 1), dateOf(-9e15), [new Date(0)], {}, false],
  tickDone: ['yes', 1, 0, [true], {}],
  metadata: [7, false, ['text'], { text: 1 }, new Date(0)],
  paused: ['no', 1, 0, [false], {}],
}

export function titleOf(field: string, value: unknown): string {
  if (value === undefined) return `${field} is missing`
  const type = (value as { readonly _bsontype?: string } | null)?._bsontype ?? typeof value
  return `${field} is ${value instanceof Date ? `the date ${value.getTime()}` : `${type} ${JSON.stringify(value)}`}`
}

/** Writes such a value into the record of a name. */
export const poison = (locks: Collection<LockDocument>, name: string, field: string, value: unknown) =>
  locks.updateOne(
    { _id: name },
    (value === undefined ? { $unset: { [field]: 1 } } : { $set: { [field]: value } }) as object,
  )
