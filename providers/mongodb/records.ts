/* Reads and writes records: always on the primary and by a majority, whatever the user's client prefers. */
import { RecordBusyError, StoreError } from '../../src/errors.ts'
import type { LockRecord } from '../../src/provider/contract.ts'
import { isUnreadable } from '../../src/provider/record.ts'
import type { CallTime } from './call-time.ts'
import type { CollectionSource } from './client.ts'
import { FIELDS, type Reading, type Row, readingOf, recordOf } from './documents.ts'
import { errorFor, failedOperations, isBusy, isDuplicate, matchedDespite } from './errors.ts'
import { type Change, creationOf } from './updates.ts'

/*
 * Read concern majority, since a grant may be told from a read (a repeated request whose first reply was lost): a primary that has been
 * cut off still sees the writes of its own that the others never got and that are rolled back later. It must not tell of those.
 */
const READ = { readPreference: 'primary', readConcern: { level: 'majority' }, raw: false } as const

/** Not acknowledged before it survives the loss of the primary: a lock that is rolled back would be granted twice. */
const WRITE = { writeConcern: { w: 'majority' }, raw: false } as const

/** How many changes go out in one command: what a locked record holds up is no more than these. */
const CHUNK = 1_000

/** What each change adds to the bound of its command, in ms: enough for a busy server. */
const TIME_PER_CHANGE = 5

/** Where a command of at most so many changes met a locked record, each is made on its own; a larger one is cut into pieces of this size. */
const PIECE = 64

/** How many commands go out side by side then. */
const LANES = 8

/** What became of the changes of a batch. */
export interface Changed {
  /** How many found their record, and their condition true. */
  readonly made: number
  /** Why the others could not be decided, by name. */
  readonly failed: ReadonlyMap<string, Error>
}

/** A record that changed. */
export interface ChangedRecord {
  readonly record: LockRecord
  readonly row: Row
}

export class Records {
  readonly #source: CollectionSource

  constructor(source: CollectionSource) {
    this.#source = source
  }

  /** The records of these names, or all. */
  async read(call: CallTime, names?: readonly string[]): Promise<Reading> {
    const collection = await this.#source.get()
    const wanted = names ? { _id: { $in: names } } : {}
    const options = { ...READ, maxTimeMS: call.maxTimeMS(), ...(names && { batchSize: names.length + 1 }) }
    return readingOf(
      (await collection.aggregate([{ $match: wanted }, { $project: FIELDS }], options).toArray()) as Row[],
    )
  }

  /** The server's clock. A `$facet` yields a row even where there are no documents; only a mongos without the database yields none. */
  async clock(call: CallTime): Promise<number | undefined> {
    const collection = await this.#source.get()
    const one = { $limit: 1 }
    const pipeline = [one, { $facet: { any: [one] } }, { $project: { storeTime: '$$NOW' } }]
    const [row] = await collection.aggregate(pipeline, { ...READ, maxTimeMS: call.maxTimeMS() }).toArray()
    return row === undefined ? undefined : Number((row as Row).storeTime)
  }

  /**
   * Makes one change. The result is the record after it, or later; or `undefined` when its condition did not hold.
   *
   * @throws {RecordBusyError} when a stranger's transaction has locked the record for longer than `bound`, in ms.
   */
  async change(call: CallTime, { filter, update }: Change, bound = call.busyBound): Promise<ChangedRecord | undefined> {
    const collection = await this.#source.get()
    const maxTimeMS = call.maxTimeMS(bound)
    const after = { ...WRITE, maxTimeMS, returnDocument: 'after', projection: FIELDS, includeResultMetadata: false }
    let row: Row | null
    try {
      row = (await collection.findOneAndUpdate(filter, update, after)) as Row | null
    } catch (error) {
      throw errorFor(filter._id, error)
    }
    if (!row) return undefined
    if (row.storeTime != null) return changedRecord(row)
    // Without the clock the lease's length is unknown. A reply that the server repeats from its log may lack it: it isn't in the document.
    const { records, rows } = await this.read(call, [filter._id])
    const [record, whole] = [records.get(filter._id), rows.get(filter._id)]
    return record && whole && { record, row: whole }
  }

  /** Makes records for the names in `missing`, then each change whose condition holds. */
  async changeAll(call: CallTime, changes: readonly Change[], missing: readonly string[] = []): Promise<Changed> {
    // In order of the names: some engines with MongoDB's protocol run a command as one transaction, and two nodes would deadlock.
    const byName = [...changes].sort((a, b) => (a.filter._id < b.filter._id ? -1 : 1))
    const batch = { call, absent: new Set(missing), failed: new Map<string, Error>() }
    let made = 0
    for (const chunk of cut(byName, CHUNK)) made += await this.#changeChunk(batch, chunk)
    return { made, failed: batch.failed }
  }

  async #changeChunk({ call, absent, failed }: Batch, changes: readonly Change[]): Promise<number> {
    if (call.late) return fail(changes, failed)
    const operations = changes.flatMap((change) => {
      const { _id } = change.filter
      return [...(absent.has(_id) ? [{ updateOne: creationOf(_id) }] : []), { updateOne: change }]
    })
    const collection = await this.#source.get()
    const maxTimeMS = call.maxTimeMS(Math.min(call.busyBound + changes.length * TIME_PER_CHANGE, call.third))
    try {
      // Unordered: one that fails doesn't keep the others from running.
      return (await collection.bulkWrite(operations, { ...WRITE, ordered: false, maxTimeMS })).matchedCount
    } catch (error) {
      const errors = failedOperations(error)
      if (errors) {
        for (const fault of errors.filter((fault) => !isDuplicate(fault))) {
          const name = operations[fault.index]?.updateOne.filter._id
          if (name === undefined) throw error
          failed.set(name, errorFor(name, isBusy(fault) ? fault : new Error(fault.errmsg, { cause: error })))
        }
        return matchedDespite(error)
      }
      if (!isBusy(error)) throw error
      // A locked record holds up those behind it in the command. Those before it are changed already, and come to no harm by a repetition.
      const batch = { call, absent, failed }
      if (changes.length > PIECE) return inLanes(cut(changes, PIECE), (piece) => this.#changeChunk(batch, piece))
      return inLanes(changes, (change) => this.#changeAlone(batch, change))
    }
  }

  async #changeAlone({ call, absent, failed }: Batch, change: Change): Promise<number> {
    if (call.late) return fail([change], failed)
    const { _id } = change.filter
    try {
      if (absent.has(_id)) await this.create(call, _id)
      return (await this.change(call, change)) ? 1 : 0
    } catch (error) {
      if (!(error instanceof RecordBusyError)) throw error
      failed.set(_id, error)
      return 0
    }
  }

  /** Makes a record that is free, unless the name has one. */
  async create(call: CallTime, name: string, bound = call.busyBound): Promise<void> {
    const collection = await this.#source.get()
    try {
      await collection.bulkWrite([{ updateOne: creationOf(name) }], { ...WRITE, maxTimeMS: call.maxTimeMS(bound) })
    } catch (error) {
      if (!failedOperations(error)?.every(isDuplicate)) throw errorFor(name, error)
    }
  }

  async drop(call: CallTime, filter: object): Promise<number> {
    const collection = await this.#source.get()
    const { deletedCount } = await collection.deleteMany(filter, { ...WRITE, maxTimeMS: call.maxTimeMS() })
    return deletedCount
  }

  /** Every collection has this index, so all that it does is to make the collection, by whatever rights and at the same time as others. */
  async prepare(call: CallTime): Promise<void> {
    const collection = await this.#source.get()
    await collection.createIndex({ _id: 1 }, { ...WRITE, maxTimeMS: call.maxTimeMS() })
  }
}

interface Batch {
  readonly call: CallTime
  /** The names that have no record yet. */
  readonly absent: ReadonlySet<string>
  readonly failed: Map<string, Error>
}

/** The call's time is over but for what it takes to read the outcome. */
function fail(changes: readonly Change[], failed: Map<string, Error>): number {
  for (const { filter } of changes) {
    failed.set(filter._id, new StoreError(`mongodb: the call had no time left for lock ${JSON.stringify(filter._id)}`))
  }
  return 0
}

const cut = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))

/** Works on all items, some side by side; returns the sum. */
async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<number>): Promise<number> {
  const left = items.values()
  let sum = 0
  const lane = async (): Promise<void> => {
    for (const item of left) {
      const more = await work(item)
      sum += more
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane))
  return sum
}

function changedRecord(row: Row): ChangedRecord {
  const record = recordOf(row)
  if (isUnreadable(record)) throw record.unreadable
  return { record, row }
}
