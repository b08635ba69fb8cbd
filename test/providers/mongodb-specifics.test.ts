/* What is particular to MongoDB: expressions, write concern, the first creation, what a round trip costs, batches told apart. */
import { randomUUID } from 'node:crypto'
import { type CommandStartedEvent, MongoClient, type MongoClientOptions } from 'mongodb'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { mongodb } from '../../providers/mongodb/index.ts'
import { isRecordBusy } from '../../src/errors.ts'
import {
  acquireAll,
  extend,
  granted,
  newHolder,
  refused,
  release,
  toAcquire,
  toExtend,
  toRelease,
} from '../../src/testing/requests.ts'
import { type LockDocument, lockRecord, serverClock } from './mongodb-subject.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('mongodb', () => {
  if ('unavailable' in server) return
  const clients: MongoClient[] = []
  const connect = (options: MongoClientOptions = {}): MongoClient => {
    const client = new MongoClient(server.url, options)
    clients.push(client)
    return client
  }
  const db = connect({ monitorCommands: true, maxPoolSize: 10 }).db()
  const name = `ticklock-${randomUUID()}`
  const locks = db.collection<LockDocument>(name)
  const provider = mongodb(locks)
  const aHolder = () => newHolder(randomUUID())
  const threeHolders = () => [aHolder(), aHolder(), aHolder()]

  let commands: CommandStartedEvent[] = []
  clients[0]?.on('commandStarted', (event) => commands.push(event))
  beforeEach(() => {
    commands = []
  })
  afterAll(async () => {
    await locks.drop()
    for (const client of clients) await client.close()
  })

  describe('costs', () => {
    const cost = async (run: () => Promise<unknown>): Promise<string[]> => {
      commands = []
      await run()
      return commands.map(({ commandName }) => commandName)
    }

    it('one reading for a refusal, of one or of a batch, and writes nothing', async () => {
      const holders = threeHolders()
      const others = holders.map((holder) => newHolder(holder.name))
      await provider.acquire(holders.map((holder) => toAcquire(holder)))
      expect(await cost(() => provider.acquire(others.slice(0, 1).map((other) => toAcquire(other))))).toEqual([
        'aggregate',
      ])
      expect(await cost(() => provider.acquire(others.map((other) => toAcquire(other))))).toEqual(['aggregate'])
    })

    it('two for the grant of one, three for a batch, with or without names that are new', async () => {
      const [first, ...more] = threeHolders().map((holder) => toAcquire(holder))
      if (!first) throw new Error('unreachable')
      expect(await cost(() => provider.acquire([first]))).toEqual(['aggregate', 'update', 'aggregate'])
      await provider.forceRelease(first.name)
      const again = toAcquire(newHolder(first.name))
      expect(await cost(() => provider.acquire([again]))).toEqual(['aggregate', 'findAndModify'])
      await provider.forceRelease(first.name)
      const batch = [toAcquire(newHolder(first.name)), ...more]
      expect(await cost(() => provider.acquire(batch))).toEqual(['aggregate', 'update', 'aggregate'])
    })

    it('one more for the first tick of names that are all new: it needs the clock', async () => {
      const request = toAcquire(aHolder(), { tick: Math.floor(Date.now() / 1_000) * 1_000 })
      expect(await cost(() => provider.acquire([request]))).toEqual(['aggregate', 'aggregate', 'update', 'aggregate'])
    })

    it('one for an extension, two for a batch; one for releases, two when one of them is stale', async () => {
      const holders = threeHolders()
      await provider.acquire(holders.map((holder) => toAcquire(holder)))
      const [extension = toExtend(aHolder()), ...extensions] = holders.map((holder) => toExtend(holder))
      expect(await cost(() => provider.extend([extension]))).toEqual(['findAndModify'])
      expect(await cost(() => provider.extend(extensions))).toEqual(['update', 'aggregate'])
      const [releasing = toRelease(aHolder()), ...others] = holders.map((holder) => toRelease(holder))
      expect(await cost(() => provider.release([releasing]))).toEqual(['update'])
      expect(await cost(() => provider.release(others))).toEqual(['update'])
      expect(await cost(() => provider.release(others))).toEqual(['update', 'aggregate'])
    })
  })

  describe('whatever the client prefers', () => {
    it('writes by a majority, and reads from the primary what a majority has', async () => {
      const client = connect({
        monitorCommands: true,
        writeConcern: { w: 1, journal: false },
        readPreference: 'secondaryPreferred',
        readConcern: { level: 'available' },
        directConnection: false,
        retryWrites: false,
      })
      client.on('commandStarted', (event) => commands.push(event))
      const own = mongodb({ client, collection: name })
      const holders = [aHolder(), aHolder()]
      await granted(own, holders[0] ?? aHolder())
      await own.setup?.()
      await own.acquire(holders.map((holder) => toAcquire(holder)))
      await own.extend(holders.map((holder) => toExtend(holder)))
      await own.extend(holders.slice(1).map((holder) => toExtend(holder)))
      await own.release(holders.map((holder) => toRelease(holder)))
      await own.read()
      await own.forceRelease(randomUUID())
      await own.prune(60_000)
      const sent = commands.map(({ command }) => command)
      const writes = sent.filter((command) => !('aggregate' in command))
      const reads = sent.filter((command) => 'aggregate' in command)
      expect(new Set(writes.map((command) => Object.keys(command)[0]))).toEqual(
        new Set(['createIndexes', 'update', 'findAndModify', 'delete']),
      )
      for (const { writeConcern } of writes) expect(writeConcern).toEqual({ w: 'majority' })
      for (const command of sent) expect(command.maxTimeMS).toBeGreaterThan(0)
      expect(reads.length).toBeGreaterThan(3)
      for (const { readConcern, $readPreference } of reads) {
        expect([readConcern, $readPreference?.mode]).toEqual([{ level: 'majority' }, undefined])
      }
    })

    it.each<MongoClientOptions>([
      { promoteLongs: false },
      { useBigInt64: true },
      { promoteValues: false },
      { raw: true },
    ])('answers with numbers: %j', async (options) => {
      const own = mongodb({ client: connect({ ...options, maxPoolSize: 1 }), collection: name })
      const holder = aHolder()
      const tick = Math.floor((await granted(own, holder)).storeTime)
      await release(own, holder)
      const lease = await granted(own, newHolder(holder.name), { tick })
      for (const [field, value] of Object.entries(lease)) {
        if (field !== 'name' && field !== 'owner') expect(value, field).toBeTypeOf('number')
      }
      expect(await own.read([holder.name])).toMatchObject([
        { fencingToken: lease.fencingToken, lastTick: tick, tickDone: false },
      ])
      expect((await own.acquire([toAcquire(newHolder(holder.name))]))[0]).toMatchObject({
        granted: false,
        reason: 'held',
      })
    })
  })

  describe('the time of a call', () => {
    it('bounds each of its commands on the server', async () => {
      const holders = [...threeHolders(), ...threeHolders()]
      const tick = Math.floor(Date.now() / 1_000) * 1_000
      const timeout = 700
      await provider.acquire(
        holders.map((holder) => toAcquire(holder, { tick })),
        { timeout },
      )
      await provider.extend(
        holders.map((holder) => toExtend(holder)),
        { timeout },
      )
      await provider.extend(
        holders.slice(1).map((holder) => toExtend(holder)),
        { timeout },
      )
      await provider.release(
        holders.map((holder) => toRelease(holder, { tick })),
        { timeout },
      )
      await provider.release([toRelease(aHolder()), toRelease(aHolder())], { timeout })
      expect(commands.length).toBeGreaterThan(8)
      for (const { command } of commands) {
        expect(command.maxTimeMS).toBeGreaterThan(0)
        expect(command.maxTimeMS).toBeLessThanOrEqual(timeout)
      }
    })

    it('over, rejects the call', async () => {
      await expect(provider.acquire([toAcquire(aHolder())], { timeout: 0.0001 })).rejects.toThrow(
        /took longer than its 0 ms/,
      )
    })
  })

  describe('a large batch', () => {
    it('is decided though a stranger has locked one of its documents and creates another', async () => {
      const holders = Array.from({ length: 200 }, () => aHolder())
      const [locked, created] = [holders[50], holders[150]]
      if (!locked || !created) throw new Error('unreachable')
      await granted(provider, locked, { lockAtMostFor: 1 })
      const ends = [await lockRecord(server.url, name, locked.name), await lockRecord(server.url, name, created.name)]
      const results = await provider.acquire(holders.map((holder) => toAcquire(newHolder(holder.name))))
      for (const end of ends) await end()
      for (const [index, result] of results.entries()) {
        if (index === 50 || index === 150) expect(isRecordBusy(result)).toBe(true)
        else expect(result).toMatchObject({ granted: true })
      }
    })

    it('of more than a command takes is decided in order', async () => {
      const holders = Array.from({ length: 1_300 }, () => aHolder())
      const options = { timeout: 120_000 } // As long as it takes.
      const granted = await provider.acquire(
        holders.map((holder) => toAcquire(holder)),
        options,
      )
      expect(granted).toMatchObject(holders.map(({ name }) => ({ granted: true, lease: { name } })))
      const requests = [aHolder(), ...holders].map((holder) => toRelease(holder))
      expect(await provider.release(requests, options)).toEqual([false, ...holders.map(() => true)])
    }, 120_000)
  })

  describe('a record that changed after the reading of the clock that a command goes by', () => {
    const changed = async (ahead: number, document: Partial<LockDocument> = {}) => {
      const lock = randomUUID()
      const changedAt = new Date((await serverClock(locks)) + ahead)
      const record = {
        _id: lock,
        lockUntil: changedAt,
        lockedAt: new Date(1_000),
        lockedBy: 'x',
        changedAt,
        ...document,
      }
      await locks.insertOne(record)
      return { lock, changedAt: changedAt.getTime() }
    }

    it('is decided by the time of that change: what was freed then is free, also for one of a batch', async () => {
      for (const others of [[], [aHolder()]]) {
        const { lock, changedAt } = await changed(4_000)
        const requests = [newHolder(lock), ...others].map((holder) => toAcquire(holder))
        const [result] = await acquireAll(provider, requests)
        expect(result).toMatchObject({ granted: true, lease: { acquiredAt: changedAt, lockUntil: changedAt + 60_000 } })
        expect((await locks.findOne({ _id: lock }))?.fencingToken).toBe(changedAt * 1_000)
      }
    })

    it('is read and refused with a time that is not before it', async () => {
      const { lock, changedAt } = await changed(4_000, { lastTick: new Date(5_000), tickDone: true })
      const { storeTime, record } = await refused(provider, newHolder(lock), 'tick-taken', { tick: 5_000 })
      expect([storeTime, record?.storeTime, record?.lockUntil]).toEqual([changedAt, changedAt, changedAt])
      expect(await provider.read([lock])).toMatchObject([{ storeTime: changedAt }])
    })

    it('is decided by the clock when that time is further ahead than any command takes: the clock went back', async () => {
      const { lock, changedAt } = await changed(3_600_000)
      const { storeTime } = await refused(provider, newHolder(lock), 'held')
      expect(storeTime).toBeLessThan(changedAt - 3_000_000)
    })
  })

  it('makes a new name for exactly one of ten that ask at once, alone or in batches, 40 times', async () => {
    const pools = [connect({ maxPoolSize: 5 }), connect({ maxPoolSize: 5 })]
    const nodes = Array.from({ length: 10 }, (_, index) =>
      mongodb({ client: pools[index % 2] ?? connect(), collection: name }),
    )
    for (let round = 0; round < 40; round++) {
      // In opposite orders, so that nodes whose batches lock records could deadlock.
      const names = Array.from({ length: round % 2 ? 3 : 1 }, () => randomUUID())
      const asked = nodes.map((node, index) => {
        const requests = names.map((each) => toAcquire(newHolder(each)))
        return acquireAll(node, index % 2 ? requests.reverse() : requests)
      })
      const leases = (await Promise.all(asked)).flat().flatMap((result) => (result.granted ? [result.lease] : []))
      expect(leases.map((lease) => lease.name).sort()).toEqual([...names].sort())
      for (const lease of leases) {
        const record = await locks.findOne({ _id: lease.name })
        expect(record?.lockedBy).toBe(`one-host:1#${lease.owner}`)
        expect(record?.fencingToken).toBe(lease.fencingToken)
      }
    }
  })

  describe('texts that mean something in an expression', () => {
    const texts = ['$lockUntil', '$$NOW', '$$REMOVE', '$$nope', '$', 'a.b', '{"$gt":""}', `it's "so"`, 'Bücher–書🚀']

    it.each(texts)('%s is a name, an owner, a label and metadata like any other', async (text) => {
      const prefix = randomUUID()
      for (const lock of [`${text}${prefix}`, `${prefix}.${text}`]) {
        const holder = { name: lock, owner: text, label: text }
        await granted(provider, holder, { metadata: text })
        const record = await locks.findOne({ _id: lock })
        expect([record?.lockedBy, record?.metadata]).toEqual([`${text}#${text}`, text])
        await refused(provider, newHolder(lock), 'held')
        expect(await extend(provider, { ...holder, owner: '$lockedBy' })).toBeUndefined()
        expect(await extend(provider, holder)).toMatchObject({ name: lock })
        expect(await release(provider, { ...holder, owner: '$lockedBy' })).toBe(false)
        expect(await release(provider, holder)).toBe(true)
        await granted(provider, { ...holder, owner: `${text}2` }, { metadata: text })
      }
    })
  })

  describe("in ShedLock's collection", () => {
    const shedLock = mongodb({ db, collection: name })
    const written = async (lockUntil: Date): Promise<string> => {
      const lock = randomUUID()
      await locks.insertOne({ _id: lock, lockUntil, lockedAt: new Date(1_000), lockedBy: 'jvm-host' })
      return lock
    }

    it('a record without our fields is read, and refused while it is held', async () => {
      const lock = await written(new Date(Date.now() + 86_400_000))
      const { record } = await refused(shedLock, newHolder(lock), 'held', { tick: Date.now() })
      expect(record).toMatchObject({ lockedBy: 'jvm-host', lockedAt: 1_000, fencingToken: 0, tickDone: false })
      expect([record?.lastTick, record?.metadata]).toEqual([undefined, undefined])
    })

    it('a record without our fields is taken when it is free, with a token and a tick, and with dates as ShedLock reads them', async () => {
      const lock = await written(new Date(1_000))
      const tick = 1_700_000_000_000
      const lease = await granted(shedLock, newHolder(lock), { tick })
      const [types] = await locks
        .aggregate([
          { $match: { _id: lock } },
          {
            $project: {
              _id: 0,
              lockUntil: { $type: '$lockUntil' },
              lockedAt: { $type: '$lockedAt' },
              fencingToken: { $type: '$fencingToken' },
              lastTick: { $type: '$lastTick' },
            },
          },
        ])
        .toArray()
      expect(types).toEqual({ lockUntil: 'date', lockedAt: 'date', fencingToken: 'long', lastTick: 'date' })
      expect(lease.fencingToken).toBe(lease.acquiredAt * 1_000)
      await shedLock.forceRelease(lock)
      await refused(shedLock, newHolder(lock), 'tick-taken', { tick })
    })

    it('a ShedLock node that unlocks late frees our lock: the next extension and the release notice, and the tick is done', async () => {
      const [lock, ours, tick] = [randomUUID(), aHolder(), Date.now()]
      const holder = { ...ours, name: lock }
      const lease = await granted(shedLock, holder, { tick })
      // ShedLock's own unlock: https://github.com/lukas-krecan/ShedLock, MongoLockProvider
      await locks.findOneAndUpdate({ _id: lock }, { $set: { lockUntil: new Date(lease.storeTime) } })
      expect(await extend(shedLock, holder)).toBeUndefined()
      expect(await release(shedLock, holder, { tick })).toBe(false)
      await refused(shedLock, newHolder(lock), 'tick-taken', { tick, onCrash: 'rerun' })
      const next = await granted(shedLock, newHolder(lock))
      expect(next.fencingToken).toBeGreaterThan(lease.fencingToken)
      expect(await extend(shedLock, holder)).toBeUndefined()
      expect(await release(shedLock, holder, { tick })).toBe(false)
    })

    it('prune leaves documents of another kind alone', async () => {
      await db.collection<{ _id: string; text: string }>(name).insertOne({ _id: 'note', text: 'not a lock' })
      await written(new Date(1_000))
      expect(await shedLock.prune(60_000)).toBeGreaterThan(0)
      expect(await locks.findOne({ _id: 'note' })).not.toBeNull()
      await locks.deleteOne({ _id: 'note' })
    })
  })
})
