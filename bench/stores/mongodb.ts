import { type Collection, MongoClient } from 'mongodb'
import { mongodb } from '../../providers/mongodb/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

interface Key {
  readonly _id: string
}

export async function measuredMongodb(url: string, connections: number): Promise<MeasuredStore> {
  const client = new MongoClient(url, { maxPoolSize: connections })
  const collection = client.db().collection<Key>('ticklock')
  const recorder = new Recorder(calls(collection), [
    'aggregated',
    'findOneAndUpdate',
    'bulkWrite',
    'deleteMany',
    'createIndex',
  ])
  const { client: noted } = recorder
  const provider = mongodb({
    ...pick(noted),
    aggregate: (pipeline: object[], options: object) => ({ toArray: () => noted.aggregated(pipeline, options) }),
  })
  await provider.setup?.()
  return {
    name: 'mongodb',
    provider,
    connections,
    record: (work) => recorder.record(work),
    forget: () => collection.deleteMany({}),
    readOne: (name) => collection.findOne({ _id: name }),
    close: () => client.close(),
  }
}

/** What the provider calls, each as one call: a cursor is read to its end within it. */
const calls = (collection: Collection<Key>) => ({
  aggregated: (pipeline: object[], options: object): Promise<unknown[]> =>
    collection.aggregate(pipeline, options).toArray(),
  findOneAndUpdate: (filter: object, update: object[], options: object): Promise<unknown> =>
    collection.findOneAndUpdate(filter, update, options),
  bulkWrite: (operations: readonly object[], options: object) =>
    collection.bulkWrite(operations as Parameters<typeof collection.bulkWrite>[0], options),
  deleteMany: (filter: object, options: object) => collection.deleteMany(filter, options),
  createIndex: (keys: { _id: 1 }, options: object): Promise<unknown> => collection.createIndex(keys, options),
})

/** The same without the proxy around it, whose methods can't be spread. */
const pick = ({ findOneAndUpdate, bulkWrite, deleteMany, createIndex }: ReturnType<typeof calls>) => ({
  findOneAndUpdate,
  bulkWrite,
  deleteMany,
  createIndex,
})
