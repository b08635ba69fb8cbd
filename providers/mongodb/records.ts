/* Reads and writes records: always on the primary and by a majority, whatever the user's client prefers. */
import type { LockRecord } from '../../src/provider/contract.ts'
import { type Change, creationOf } from './changes.ts'
import type { CollectionSource } from './source.ts'

/*
 * Read concern majority, since a grant may be told from a read (a repeated request whose first reply was lost): a primary that has been
 * cut off still sees the writes of its own that the others never got and that are rolled back later. It must not tell of those.
 */
const READ = { readPreference: 'primary', readConcern: { level: 'majority' }, raw: false } as const

/** Not acknowledged before it survives the loss of the primary: a lock that is rolled back would be granted twice. */
const WRITE = { writeConcern: { w: 'majority' }, raw: false } as const

/** The fields of a record, and the server's clock. */
const FIELDS = {
  lockedBy: 1,
  lockedAt: 1,
  lockUntil: 1,
  fencingToken: 1,
  lastTick: 1,
  tickDone: 1,
  metadata: 1,
  paused: 1,
  releasedBy: 1,
  storeTime: '$$NOW',
} as const

const DUPLICATE_KEY = 11_000

/** What stands in the collection for some names. */
export interface Reading {
  readonly records: ReadonlyMap<string, LockRecord>
  /** Who was the last to release each of them. */
  readonly releasers: ReadonlyMap<string, string>
  /** The server's clock; unknown when none of the names has a record. */
  readonly storeTime: number | undefined
}

export class Records {
  readonly #source: CollectionSource

  constructor(source: CollectionSource) {
    this.#source = source
  }

  /** The records of these names, or all. */
  async read(names?: readonly string[]): Promise<Reading> {
    const collection = await this.#source.get()
    const wanted = names ? { _id: { $in: names } } : {}
    const options = names ? { ...READ, batchSize: names.length + 1 } : READ
    const rows = await collection.aggregate([{ $match: wanted }, { $project: FIELDS }], options).toArray()
    const records = rows.map(recordOf)
    return {
      records: new Map(records.map((record) => [record.name, record])),
      releasers: new Map((rows as Row[]).map(({ _id, releasedBy }) => [_id, releasedBy ?? ''])),
      storeTime: records[0]?.storeTime,
    }
  }

  /** The server's clock. A `$facet` yields a row even where there are no documents; only a mongos without the database yields none. */
  async clock(): Promise<number | undefined> {
    const collection = await this.#source.get()
    const one = { $limit: 1 }
    const [row] = await collection
      .aggregate([one, { $facet: { any: [one] } }, { $project: { storeTime: '$$NOW' } }], READ)
      .toArray()
    return row === undefined ? undefined : numberOf((row as Row).storeTime)
  }

  /** Makes one change; answers with the record after it, or later, or `undefined` when its condition did not hold. */
  async change({ filter, update }: Change): Promise<LockRecord | undefined> {
    const collection = await this.#source.get()
    const after = { ...WRITE, returnDocument: 'after', projection: FIELDS, includeResultMetadata: false }
    const row = (await collection.findOneAndUpdate(filter, update, after)) as Row | null
    if (!row) return undefined
    // Without the clock the lease's length is unknown. A reply that the server repeats from its log may lack it: it isn't in the document.
    return row.storeTime == null ? (await this.read([filter._id])).records.get(filter._id) : recordOf(row)
  }

  /** Makes records for the names in `missing`, then each change whose condition holds; answers how many did. */
  async changeAll(changes: readonly Change[], missing: readonly string[] = []): Promise<number> {
    // In order of the names: some engines with MongoDB's protocol run a command as one transaction, and two nodes would deadlock.
    const byName = [...changes].sort((a, b) => (a.filter._id < b.filter._id ? -1 : 1))
    const absent = new Set(missing)
    const operations = byName.flatMap((change) => {
      const { _id } = change.filter
      return [...(absent.has(_id) ? [{ updateOne: creationOf(_id) }] : []), { updateOne: change }]
    })
    const collection = await this.#source.get()
    try {
      // Unordered: one that fails doesn't keep the others from running.
      const { matchedCount } = await collection.bulkWrite(operations, { ...WRITE, ordered: false })
      return matchedCount
    } catch (error) {
      if (!isLostCreation(error)) throw error
      return 0
    }
  }

  /** Makes a record that is free, unless the name has one. */
  async create(name: string): Promise<void> {
    const collection = await this.#source.get()
    try {
      await collection.bulkWrite([{ updateOne: creationOf(name) }], WRITE)
    } catch (error) {
      if (!isLostCreation(error)) throw error
    }
  }

  async drop(filter: object): Promise<number> {
    const collection = await this.#source.get()
    const { deletedCount } = await collection.deleteMany(filter, WRITE)
    return deletedCount
  }

  /** Every collection has this index, so all that it does is to make the collection, by whatever rights and at the same time as others. */
  async prepare(): Promise<void> {
    const collection = await this.#source.get()
    await collection.createIndex({ _id: 1 }, WRITE)
  }
}

/** Another node made the record at the same time: what we wanted is there. */
function isLostCreation(error: unknown): boolean {
  const { writeErrors, result } = error as BulkWriteError
  if (result?.getWriteConcernError?.()) return false
  const errors = writeErrors === undefined ? [] : [writeErrors].flat()
  return errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY)
}

interface WriteError {
  readonly code?: number
}

/** The part of the driver's `MongoBulkWriteError` that tells why. */
interface BulkWriteError {
  readonly writeErrors?: WriteError | readonly WriteError[]
  readonly result?: { getWriteConcernError?(): unknown }
}

interface Row {
  readonly _id: string
  readonly lockedBy?: string | null
  readonly lockedAt?: unknown
  readonly lockUntil?: unknown
  readonly fencingToken?: unknown
  readonly lastTick?: unknown
  readonly tickDone?: boolean | null
  readonly metadata?: string | null
  readonly paused?: boolean | null
  readonly releasedBy?: string | null
  readonly storeTime: unknown
}

/** ShedLock's records have the first four fields alone. */
function recordOf(row: unknown): LockRecord {
  const { _id, lockedBy, lockedAt, lockUntil, fencingToken, lastTick, tickDone, metadata, paused, storeTime } =
    row as Row
  return {
    name: _id,
    lockedBy: lockedBy ?? '',
    lockedAt: numberOf(lockedAt),
    lockUntil: numberOf(lockUntil),
    fencingToken: numberOf(fencingToken),
    lastTick: lastTick == null ? undefined : numberOf(lastTick),
    tickDone: tickDone === true,
    metadata: metadata ?? undefined,
    paused: paused === true,
    storeTime: numberOf(storeTime),
  }
}

/** A Date, or a number in any of the forms that the client's settings give it: number, bigint, the driver's own Long, Double or Int32. */
const numberOf = (value: unknown): number => Number(value ?? 0)
