/* How the conformance suite meets MongoDB, looked into by the driver itself. */
import { randomUUID } from 'node:crypto'
import { type Collection, Decimal128, Double, Long, MongoClient, MongoServerError, ObjectId, Timestamp } from 'mongodb'
import { mongodb } from '../../providers/mongodb/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'

/** A record as it is in the collection; ShedLock's have the first three fields beside `_id`. */
export interface LockDocument {
  readonly _id: string
  readonly lockUntil: Date
  readonly lockedAt: Date
  readonly lockedBy: string
  readonly fencingToken?: number
  readonly lastTick?: Date
  readonly tickDone?: boolean
  readonly metadata?: string
  readonly paused?: boolean
}

export function mongodbSubject(url: string): ConformanceSubject {
  const collection = `ticklock-${randomUUID()}`
  const client = new MongoClient(url)
  const locks = client.db().collection<LockDocument>(collection)
  return {
    name: 'mongodb',
    clock: 'store',
    connect: () => mongodb({ url, collection }),
    now: () => serverClock(locks),
    async look(name) {
      const document = await locks.findOne({ _id: name })
      return document ? storedIn(document) : undefined
    },
    async lose(name) {
      await locks.deleteOne({ _id: name })
    },
    unreachable: () => mongodb({ url: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200', collection }),
    unprepared: 'a collection comes into being with its first document',
    async clientSurvivesClose() {
      const own = new MongoClient(url)
      try {
        const provider = mongodb({ client: own, collection })
        await provider.read([])
        await provider.close()
        return (await own.db().command({ ping: 1 })).ok === 1
      } finally {
        await own.close()
      }
    },
    poisons: Object.fromEntries(
      Object.entries(POISONS).flatMap(([field, values]) =>
        values.map((value) => [
          `${field} is ${value === undefined ? 'missing' : describe(value)}`,
          (name: string) =>
            locks.updateOne(
              { _id: name },
              value === undefined ? { $unset: { [field]: 1 } } : ({ $set: { [field]: value } } as object),
            ),
        ]),
      ),
    ),
    lockRecord: (name) => lockRecord(url, collection, name),
    asShedLock: (name, lockedForMs) => lockAsShedLock(locks, name, lockedForMs),
    async after() {
      await locks.drop()
      for (const suffix of ['History', 'Nodes']) await client.db().dropCollection(collection + suffix)
      await client.close()
    },
  }
}

/** BSON has dates that no `Date` can hold: they are made of their milliseconds. */
const dateOf = (ms: number): Date => Object.assign(new Date(0), { getTime: () => ms, valueOf: () => ms })

/** Values that no lock can have, by field; undefined for a field that is missing. */
const POISONS: Readonly<Record<string, readonly unknown[]>> = {
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
    new Double(9007199254740992),
    Decimal128.fromString('7'),
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

const describe = (value: unknown): string => {
  const type = (value as { readonly _bsontype?: string } | null)?._bsontype
  return `${type ?? (value instanceof Date ? 'Date' : typeof value)} ${value instanceof Date ? value.getTime() : JSON.stringify(value)}`
}

/** In a transaction of its own; a document that isn't there is created in it. */
async function lockRecord(url: string, collection: string, name: string): Promise<() => Promise<void>> {
  const stranger = new MongoClient(url, { maxPoolSize: 1 })
  const session = stranger.startSession()
  session.startTransaction()
  const document = { lockUntil: new Date(0), lockedAt: new Date(0), lockedBy: 'stranger' }
  const locks = stranger.db().collection<LockDocument>(collection)
  const there = await locks.updateOne({ _id: name }, { $set: { touchedBy: 'stranger' } }, { session })
  if (there.matchedCount === 0) await locks.insertOne({ _id: name, ...document }, { session })
  return async () => {
    await session.abortTransaction()
    await session.endSession()
    await stranger.close()
  }
}

function storedIn(document: LockDocument): StoredRecord {
  const { lockUntil, lockedAt, lockedBy, fencingToken, lastTick, tickDone, metadata, paused } = document
  return {
    lockedBy,
    lockedAt: lockedAt.getTime(),
    lockUntil: lockUntil.getTime(),
    fencingToken: fencingToken ?? 0,
    lastTick: lastTick?.getTime(),
    tickDone: tickDone ?? false,
    metadata,
    paused: paused ?? false,
  }
}

/** The clock that decides. A `$facet` gives a row even where there are no documents. */
export async function serverClock(locks: Collection<LockDocument>): Promise<number> {
  const one = { $limit: 1 }
  const pipeline = [one, { $facet: { any: [one] } }, { $project: { now: '$$NOW' } }]
  const [row] = await locks.aggregate<{ now: Date }>(pipeline).toArray()
  if (!row) throw new Error('the server told no time')
  return row.now.getTime()
}

/**
 * Asks as ShedLock's provider for MongoDB does: an upsert whose filter is "the lock is over", by the clock of its node, which here agrees
 * with the server's. Where the lock is held nothing matches, and the insertion meets the record that is there.
 */
export async function lockAsShedLock(
  locks: Collection<LockDocument>,
  name: string,
  lockedForMs: number,
): Promise<boolean> {
  const now = await serverClock(locks)
  const lock = { lockUntil: new Date(now + lockedForMs), lockedAt: new Date(now), lockedBy: 'jvm-host' }
  try {
    await locks.findOneAndUpdate({ _id: name, lockUntil: { $lte: new Date(now) } }, { $set: lock }, { upsert: true })
    return true
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11_000) return false
    throw error
  }
}
