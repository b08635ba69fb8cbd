import { randomUUID } from 'node:crypto'
import { type ClientSession, MongoClient } from 'mongodb'
import { describe, inject } from 'vitest'
import { mongodb } from '../../providers/mongodb/index.ts'
import { type TransactionKit, transactionCases } from './transactions/cases.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('a run completes in a transaction of a session of mongodb', () => {
  if ('unavailable' in server) return

  transactionCases(async (): Promise<TransactionKit> => {
    const collection = `ticklock-${randomUUID()}`
    const client = new MongoClient(server.url)
    const locks = client.db().collection<{ _id: string }>(collection)
    const effects = client.db().collection<{ effect: string }>(`${collection}-effects`)
    await effects.createIndex({ effect: 1 })
    return {
      provider: mongodb({ url: server.url, collection }),
      transaction: (work) => client.withSession((session) => session.withTransaction(() => work(session))),
      outside: (work) => client.withSession((session) => work(session)),
      write: (session, effect) => effects.insertOne({ effect }, { session: session as ClientSession }),
      effects: (effect) => effects.countDocuments({ effect }),
      expire: (name) => locks.updateOne({ _id: name }, [{ $set: { lockUntil: '$lockedAt' } }]),
      lose: (name) => locks.deleteOne({ _id: name }),
      async close() {
        await locks.drop()
        await effects.drop()
        await client.close()
      },
    }
  })
})
