/* Run history in two collections beside the locks: `<collection>History` and `<collection>Nodes`. */
import type { HistoryEntry, HistoryQuery, RecordedEntry, RecordedNode, RunHistory } from '../../src/provider/history.ts'
import type { CollectionSource } from './client.ts'

/** How long a command may run on the server, in ms. */
const maxTimeMS = 10_000

const READ = { readPreference: 'primary', raw: false, maxTimeMS } as const
/** What a fail-over forgets of the history decides nothing. */
const WRITE = { writeConcern: { w: 1 }, raw: false, maxTimeMS } as const

const INDEXES: readonly Readonly<Record<string, 1 | -1>>[] = [
  { job: 1, at: -1 },
  { at: -1 },
  { outcome: 1, at: -1 },
  { changedAt: -1 },
]

/** Undefined where only the collection of the locks was given: no other can be reached from it. */
export function mongodbHistory(source: CollectionSource): RunHistory | undefined {
  if (!source.hasSiblings) return undefined
  const entries = () => source.get('History')
  const nodes = () => source.get('Nodes')
  const read = async (match: object, limit: number): Promise<RecordedEntry[]> => {
    const pipeline = [{ $match: match }, { $sort: { at: -1 } }, { $limit: limit }]
    return (await (await entries()).aggregate(pipeline, READ).toArray()).map(entryOf)
  }
  return {
    async write(batch, node) {
      if (batch.length > 0) await (await entries()).bulkWrite(batch.map(upsertOf), { ...WRITE, ordered: false })
      if (!node) return
      const { label, ...state } = node
      const update = { $set: state, $currentDate: { seenAt: true } }
      await (await nodes()).bulkWrite([{ updateOne: { filter: { _id: label }, update, upsert: true } }], WRITE)
    },
    read: (query) => read(matchOf(query), query.limit),
    async latest(jobs, count) {
      const found = await Promise.all(jobs.map((job) => read({ job, outcome: { $ne: 'skipped' } }, count)))
      return found.flat()
    },
    async nodes() {
      const rows = await (await nodes()).aggregate([{ $match: {} }], READ).toArray()
      return rows.map(nodeOf).sort((a, b) => (a.label < b.label ? -1 : 1))
    },
    async trim({ olderThanMs, most }) {
      const collection = await entries()
      const before = { $subtract: ['$$NOW', olderThanMs] }
      await (await nodes()).deleteMany({ $expr: { $lt: ['$seenAt', before] } }, WRITE)
      const { deletedCount: old } = await collection.deleteMany({ $expr: { $lt: ['$changedAt', before] } }, WRITE)
      const oldest = [{ $sort: { changedAt: -1 } }, { $skip: most }, { $limit: 1 }, { $project: { changedAt: 1 } }]
      const [over] = (await collection.aggregate(oldest, READ).toArray()) as { readonly changedAt: unknown }[]
      if (!over) return old
      const { deletedCount } = await collection.deleteMany({ changedAt: { $lte: over.changedAt } }, WRITE)
      return old + deletedCount
    },
    async setup() {
      const collection = await entries()
      for (const keys of INDEXES) await collection.createIndex(keys, {})
      await (await nodes()).createIndex({ _id: 1 }, {})
    },
  }
}

function upsertOf({ id, ...entry }: HistoryEntry): object {
  const fields = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
  const set = entry.outcome === 'running' ? { $setOnInsert: fields } : { $set: fields }
  return { updateOne: { filter: { _id: id }, update: { ...set, $currentDate: { changedAt: true } }, upsert: true } }
}

function matchOf({ job, from, to, changedSince, outcome }: HistoryQuery): object {
  const at = { ...(from !== undefined && { $gte: from }), ...(to !== undefined && { $lt: to }) }
  return {
    ...(job !== undefined && { job: { $eq: job } }),
    ...(Object.keys(at).length > 0 && { at }),
    ...(changedSince !== undefined && { changedAt: { $gte: new Date(changedSince) } }),
    ...(outcome !== undefined && { outcome }),
  }
}

type Document = Readonly<Record<string, unknown>>

const optional = (value: unknown): number | undefined => (value == null ? undefined : Number(value))

function entryOf(row: unknown): RecordedEntry {
  const { _id, scheduledAt, at, duration, fencingToken, changedAt, ...texts } = row as Document
  return {
    ...(texts as Pick<RecordedEntry, 'job' | 'node' | 'kind' | 'outcome' | 'reason' | 'error'>),
    id: String(_id),
    scheduledAt: Number(scheduledAt),
    at: Number(at),
    duration: optional(duration),
    fencingToken: optional(fencingToken),
    changedAt: Number(changedAt),
  }
}

function nodeOf(row: unknown): RecordedNode {
  const { _id, startedAt, skew, running, stopped, seenAt } = row as Document
  const numbers = { startedAt: Number(startedAt), skew: Number(skew), running: Number(running), seenAt: Number(seenAt) }
  return { label: String(_id), ...numbers, stopped: stopped === true }
}
