/*
 * PostgreSQL, as its documentation has it:
 *
 *   - clock_timestamp() has microseconds and goes on within a statement (Date/Time Functions, "Current Date/Time").
 *   - A statement sees one snapshot; a row that it then locks is looked at as it is by then ("Read Committed Isolation Level"). So
 *     an acquisition decides by what it sees, and once more about what looked free; others come in between.
 *   - ON CONFLICT DO NOTHING leaves a row alone that another made meanwhile, and returns none (INSERT): the name is asked for again.
 *   - A committed write survives a crash ("Write Ahead Log": synchronous_commit). An asynchronous standby may lack the last commits, a
 *     synchronous one lacks none ("Log-Shipping Standby Servers"): `failover(0)`.
 */

import type { AcquireRequest, AcquireResult } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { type Resolver, resolveForceRelease, resolveReset } from '../../../src/provider/resolve.ts'
import { inUniqueRounds } from '../../../src/provider/unique-rounds.ts'
import { Kept } from './kept.ts'
import { byMicroseconds, pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

/** As the provider has it. */
const ROUNDS = 5

export function postgresStore(world: StoreWorld): SimulatedStore {
  const server = new Server(world, 'microseconds')
  const locks = new Kept<StoredLock>(world.now)

  const acquire = async (wave: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> => {
    const results = new Map<string, AcquireResult>()
    let open = wave
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) throw new Error('the locks keep changing')
      if (round > 0) await server.pause()
      await acquireOnce(open, results)
      open = open.filter(({ name }) => !results.has(name))
    }
    return wave.map(({ name }) => results.get(name) as AcquireResult)
  }

  /** One statement. A name without a result was made, or dropped, by another while it ran. */
  const acquireOnce = async (
    requests: readonly AcquireRequest[],
    results: Map<string, AcquireResult>,
  ): Promise<void> => {
    const seenAt = server.now()
    const free = requests.flatMap((request) => {
      const record = locks.get(request.name)
      const { result, next } = byMicroseconds.acquire(record, request, seenAt)
      if (!next) results.set(request.name, result)
      return next ? [{ request, isNew: !record }] : []
    })
    if (free.length === 0) return
    await server.pause()
    for (const { request, isNew } of free) {
      const record = locks.get(request.name)
      if (isNew === (record !== undefined)) continue
      const { result, next } = byMicroseconds.acquire(record, request, isNew ? seenAt : server.now())
      results.set(request.name, result)
      if (next) locks.put(request.name, next)
    }
  }

  /** A row is locked before the clock is read, so nobody comes between the decision and the write. */
  const change = <Request extends { readonly name: string }, Answer>(
    wave: readonly Request[],
    decide: Resolver<Request, Answer>,
  ): readonly Answer[] =>
    wave.map((request) => {
      const { result, next } = decide(locks.get(request.name), request, server.now())
      if (next) locks.put(request.name, next)
      return result
    })

  return {
    kind: 'postgres',
    provider: {
      acquire: (requests) => inUniqueRounds(requests, acquire),
      extend: (requests) => inUniqueRounds(requests, async (wave) => change(wave, byMicroseconds.extend)),
      release: (requests) => inUniqueRounds(requests, async (wave) => change(wave, byMicroseconds.release)),
      read: async (names) => readFrom(locks, names, server.now()),
      forceRelease: async (name) => change([{ name }], resolveForceRelease)[0] === true,
      reset: async (request) => change([request], resolveReset)[0] === true,
      prune: async (olderThanMs) => pruneFrom(locks, server.now() - olderThanMs),
      async close() {},
    },
    restart: () => server.crash(),
    failover(lostMs) {
      server.replace()
      locks.forget(lostMs)
    },
    change: (name, change) => locks.change(name, (record) => change(record, server.now())),
    lose: (name) => locks.drop(name),
  }
}
