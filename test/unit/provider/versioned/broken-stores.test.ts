/* A versioned store that breaks one of its promises is found by the suites that judge the provider on it. */
import { describe, expect, it } from 'vitest'
import type { VersionedStore } from '../../../../src/provider/index.ts'
import type { ConformanceSubject } from '../../../../src/testing/index.ts'
import { checkLinearizable } from '../../../providers/linearizability/check-linearizable.ts'
import type { MemoryVersions } from '../../../providers/versioned/memory-versions.ts'
import { versionedSubject } from '../../../providers/versioned/versioned-subject.ts'
import { record } from '../../testing/recording-runner.ts'

type Break = (store: VersionedStore, versions: MemoryVersions) => Partial<VersionedStore>

const broken = (change: Break): ConformanceSubject =>
  versionedSubject('broken', (store, versions) => ({ ...store, ...change(store, versions) }))

const concurrently: [defect: string, change: Break][] = [
  [
    'writes whatever the version is',
    (_, versions) => ({
      put: async (writes) => {
        await new Promise(setImmediate)
        for (const { name, value } of writes) versions.set(name, value)
        return writes.map(() => 'written')
      },
    }),
  ],
  [
    'writes a new name without looking whether there is one',
    (store, versions) => ({
      put: async (writes, call) => {
        await new Promise(setImmediate)
        for (const { name, value, version } of writes) if (version === undefined) versions.set(name, value)
        const known = writes.filter(({ version }) => version !== undefined)
        const results = [...(await store.put(known, call))]
        return writes.map(({ version }) => (version === undefined ? 'written' : (results.shift() ?? 'conflict')))
      },
    }),
  ],
  [
    'says that a conflict was written',
    (store) => ({
      put: async (writes, call) => {
        await store.put(writes, call)
        return writes.map(() => 'written')
      },
    }),
  ],
]

const inTurn: [defect: string, caughtBy: string, change: Break][] = [
  [
    'removes whatever the version is',
    'drops no lock that is granted at the same time',
    (_, versions) => ({
      remove: async (names) => {
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
        for (const { name } of names) versions.entries.delete(name)
        return names.length
      },
    }),
  ],
  [
    'returns the results of a put in another order',
    'of 1,000 requests in which names occur twice and more, the first for each name is granted, answers come in order',
    (store) => ({
      put: async (writes, call) => {
        const results = await store.put(writes.slice(1), call)
        return [...results, 'written']
      },
    }),
  ],
  [
    'lists a hundred values at most',
    'of all answers every record, in order of the names',
    (store) => ({ list: async () => (await store.list()).slice(0, 100) }),
  ],
  [
    'tells the time of this machine',
    'a lease counts from the clock of the store, and so does its extension',
    () => ({ now: () => ({ earliest: Date.now(), latest: Date.now() }) }),
  ],
  [
    'tells a time that is later than its own',
    'tells what the store holds, and the time',
    (store) => ({
      now: async () => {
        const { earliest, latest } = await store.now()
        return { earliest: earliest + 500, latest: latest + 500 }
      },
    }),
  ],
]

describe('the search for an order finds a store that', () => {
  it.each(concurrently)('%s', async (_, change) => {
    await expect(checkLinearizable(broken(change), { events: 100_000, seed: 1, inSteps: false })).rejects.toThrow()
  })
})

describe('the conformance suite finds a store that', () => {
  it.each(inTurn)('%s, by: %s', async (_, caughtBy, change) => {
    expect(await record(broken(change)).failureOf(caughtBy)).toBeInstanceOf(Error)
  })
})
