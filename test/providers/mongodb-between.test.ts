/* What others do between two commands of ours. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type AnyBulkWriteOperation, MongoBulkWriteError, MongoClient } from 'mongodb'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { type MongoCollection, mongodb } from '../../providers/mongodb/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import {
  acquire,
  extendAll,
  granted,
  newHolder,
  refused,
  toAcquire,
  toExtend,
  toRelease,
} from '../../src/testing/requests.ts'
import type { LockDocument } from './mongodb-subject.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('mongodb', () => {
  if ('unavailable' in server) return
  const client = new MongoClient(server.url)
  const locks = client.db().collection<LockDocument>(`ticklock-${randomUUID()}`)
  const provider = mongodb(locks)
  const aHolder = () => newHolder(randomUUID())
  const threeHolders = () => [aHolder(), aHolder(), aHolder()]
  afterAll(async () => {
    await locks.drop()
    await client.close()
  })

  describe('what happens between our commands', () => {
    const plain: MongoCollection = {
      aggregate: (pipeline, options) => locks.aggregate(pipeline, options),
      findOneAndUpdate: (filter, update, options) => locks.findOneAndUpdate(filter, update, options),
      bulkWrite: (operations, options) => locks.bulkWrite(operations as never[], options),
      deleteMany: (filter, options) => locks.deleteMany(filter, options),
      createIndex: (keys, options) => locks.createIndex(keys, options),
    }

    /** Our provider, with somebody else's doings before and after its writes. */
    function disturbed(
      before: (node: LockProvider) => Promise<unknown>,
      after: (node: LockProvider) => Promise<unknown>,
    ) {
      const around = async <Answer>(run: () => Promise<Answer>): Promise<Answer> => {
        await before(provider)
        const answer = await run()
        await after(provider)
        return answer
      }
      return mongodb({
        ...plain,
        findOneAndUpdate: (filter, update, options) => around(() => locks.findOneAndUpdate(filter, update, options)),
        bulkWrite: (operations, options) => around(() => locks.bulkWrite(operations as never[], options)),
      })
    }

    it('a forced release leaves nothing to an extension that began before it and comes after it', async () => {
      // $$NOW is read when a command begins. The lease must be over by every reading since it was granted, so also by the first.
      const holder = aHolder()
      const { acquiredAt } = await granted(provider, holder)
      await pause(20)
      expect(await provider.forceRelease(holder.name)).toBe(true)
      expect((await locks.findOne({ _id: holder.name }))?.lockUntil.getTime()).toBeLessThanOrEqual(acquiredAt)
    })

    it('a lock that was free, taken, and free again is asked for once more', async () => {
      const rival = aHolder()
      let times = 0
      const node = disturbed(
        async () => (times++ < 2 ? await granted(provider, { ...rival, owner: String(times) }) : undefined),
        () => provider.forceRelease(rival.name),
      )
      await acquire(provider, rival)
      await provider.forceRelease(rival.name)
      // Freed again after our own grant, too: a grant is told though its lease is over already.
      await granted(node, newHolder(rival.name))
      expect(times).toBe(3)
    })

    it('a lock that is taken before each of our writes is held', async () => {
      const rival = aHolder()
      let times = 0
      const node = disturbed(
        () => granted(provider, { ...rival, owner: String(times++) }),
        () => provider.forceRelease(rival.name),
      )
      await refused(node, newHolder(rival.name), 'held')
      await refused(node, newHolder(rival.name), 'held')
    })

    it('a release in a batch is told from a stale one also when the lock is taken at once by another', async () => {
      const [retaken, kept, stale] = threeHolders()
      if (!retaken || !kept || !stale) throw new Error('unreachable')
      for (const holder of [retaken, kept, stale]) await granted(provider, holder)
      await provider.forceRelease(stale.name)
      await granted(provider, newHolder(stale.name))
      const settled = (await provider.read([stale.name]))[0]?.storeTime ?? 0
      while (((await provider.read([stale.name]))[0]?.storeTime ?? 0) < settled + 50);
      const node = disturbed(
        async () => {},
        async () => granted(provider, newHolder(retaken.name)),
      )
      expect(await node.release([stale, retaken, kept].map((holder) => toRelease(holder)))).toEqual([false, true, true])
    })

    it('a stale release in a batch stays one though the lock is taken by another just before', async () => {
      const [stale, kept] = threeHolders()
      if (!stale || !kept) throw new Error('unreachable')
      for (const holder of [stale, kept]) await granted(provider, holder)
      await provider.forceRelease(stale.name)
      const node = disturbed(
        () => granted(provider, newHolder(stale.name)),
        async () => {},
      )
      expect(await node.release([stale, kept].map((holder) => toRelease(holder)))).toEqual([false, true])
    })

    it('a stale release in a batch stays one though another of the batch was made, and both locks are taken by others at once', async () => {
      const [stale, retaken] = threeHolders()
      if (!stale || !retaken) throw new Error('unreachable')
      for (const holder of [stale, retaken]) await granted(provider, holder)
      await provider.forceRelease(stale.name)
      const node = disturbed(
        () => granted(provider, newHolder(stale.name)),
        () => granted(provider, newHolder(retaken.name)),
      )
      expect(await node.release([stale, retaken].map((holder) => toRelease(holder)))).toEqual([false, true])
    })

    it('a late release ends what a late duplicate of the acquisition was granted before it marked the tick', async () => {
      const holder = aHolder()
      const options = { tick: Math.floor(Date.now()) - 1_000, onCrash: 'rerun' } as const
      await granted(provider, holder, options)
      await provider.forceRelease(holder.name)
      let writes = 0
      const node = disturbed(
        async () => (++writes === 2 ? await granted(provider, holder, options) : undefined),
        async () => {},
      )
      expect(await node.release([toRelease(holder, { tick: options.tick })])).toEqual([true])
      const [record] = await provider.read([holder.name])
      expect(record).toMatchObject({ tickDone: true })
      await refused(provider, newHolder(holder.name), 'tick-taken', options)
    })

    it('an extension in a batch is as long as asked for, however long it takes to read it', async () => {
      const holders = threeHolders()
      await provider.acquire(holders.map((holder) => toAcquire(holder)))
      const node = disturbed(
        async () => {},
        () => pause(30),
      )
      const requests = holders.map((holder) => toExtend(holder, { lockAtMostFor: 90_000 }))
      for (const lease of await extendAll(node, requests)) {
        expect((lease?.lockUntil ?? 0) - (lease?.storeTime ?? 0)).toBe(90_000)
      }
    })

    /** The driver's own error for a batch, made by the server for an operation put before ours. */
    const failingFirst = (operation: AnyBulkWriteOperation<LockDocument>): LockProvider =>
      mongodb({
        ...plain,
        bulkWrite: (operations, options) => locks.bulkWrite([operation, ...(operations as never[])], options),
      })

    it('another node that makes the record first is no error', async () => {
      const there = aHolder()
      await granted(provider, there)
      const document = { _id: there.name, lockUntil: new Date(0), lockedAt: new Date(0), lockedBy: '' }
      await expect(locks.insertOne(document)).rejects.toMatchObject({ code: 11_000 })
      await granted(failingFirst({ insertOne: { document } }), aHolder())
    })

    it('any other failure of a write is that of its request, and of no other', async () => {
      const [first, bad, last] = threeHolders()
      if (!first || !bad || !last) throw new Error('unreachable')
      await granted(provider, bad, { lockAtMostFor: 1 })
      const broken = { filter: { _id: bad.name }, update: { $rename: { lockedBy: '_id' } } }
      const node = mongodb({
        ...plain,
        bulkWrite: (operations, options) =>
          locks.bulkWrite(
            (operations as { updateOne: { filter: { _id: string } } }[]).map((operation) =>
              operation.updateOne.filter._id === bad.name ? { updateOne: broken } : operation,
            ) as never[],
            options,
          ),
      })
      await pause(5) // The lease of 1 ms is over.
      const requests = [first, bad, last].map((holder) => toAcquire(newHolder(holder.name)))
      expect(await node.acquire(requests)).toMatchObject([
        { granted: true },
        { message: expect.stringMatching(/_id/), cause: expect.any(MongoBulkWriteError) },
        { granted: true },
      ])
    })
  })
})
