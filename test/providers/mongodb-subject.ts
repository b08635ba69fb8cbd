/* How the conformance suite meets MongoDB, looked into by the driver itself. */
import { randomUUID } from 'node:crypto'
import { type Collection, MongoClient, MongoServerError } from 'mongodb'
import { mongodb } from '../../providers/mongodb/index.ts'
import type { ConformanceSubject, StoredRecord } from '../../src/testing/index.ts'
import { POISONS, poison, titleOf } from './mongodb-poisons.ts'

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
        values.slice(0, 1).map((value) => [titleOf(field, value), (name: string) => poison(locks, name, field, value)]),
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

/** In a transaction of its own; a document that isn't there is created in it. */
export async function lockRecord(url: string, collection: string, name: string): Promise<() => Promise<void>> {
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
