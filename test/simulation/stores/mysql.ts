/*
 * MySQL and MariaDB, as their documentation has it:
 *
 *   - UTC_TIMESTAMP(6) has microseconds, and is the time at which the statement began (Date and Time Functions).
 *   - A SELECT reads without locks ("Consistent Nonlocking Reads"), an UPDATE compares and writes under the row's lock. So the records are
 *     read, decided by the server's clock, and written if they still are what was read; others come in between, and who was beaten
 *     reads again.
 *   - INSERT IGNORE leaves a row alone that is there (INSERT).
 *   - A committed write survives a crash (innodb_flush_log_at_trx_commit = 1). An asynchronous replica may lack the last commits, a
 *     semi-synchronous one lacks none ("Semisynchronous Replication"): `failover(0)`.
 */

import type { StoredLock } from '../../../src/provider/decide.ts'
import { type Resolver, resolveForceRelease, resolveReset } from '../../../src/provider/resolve.ts'
import { inUniqueRounds } from '../../../src/provider/unique-rounds.ts'
import { Kept } from './kept.ts'
import { byMicroseconds, byName, pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

/** As the provider has it. */
const ROUNDS = 50

interface Change<Request> {
  readonly request: Request
  readonly was: StoredLock | undefined
  readonly next: StoredLock
  readonly seenAt: number
}

export function mysqlStore(world: StoreWorld): SimulatedStore {
  const server = new Server(world, 'microseconds')
  const locks = new Kept<StoredLock>(world.now)

  const settle = async <Request extends { readonly name: string }, Answer>(
    wave: readonly Request[],
    decide: Resolver<Request, Answer>,
    /** What a change that may have been written, and can't be seen any more, makes of the answer. */
    afterDoubt: (answer: Answer, record: StoredLock | undefined, was: StoredLock | undefined) => Answer = (answer) =>
      answer,
  ): Promise<readonly Answer[]> => {
    const answers = new Map<Request, Answer>()
    const doubtful = new Map<Request, Change<Request>>()
    let open = wave
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) throw new Error('the locks kept changing hands')
      if (round > 0) await server.pause()
      const seenAt = server.now()
      const changes = open.toSorted(byName).flatMap((request): Change<Request>[] => {
        const was = locks.get(request.name)
        const { result, next } = decide(was, request, seenAt)
        const doubt = doubtful.get(request)
        answers.set(request, doubt ? afterDoubt(result, was, doubt.was) : result)
        return next ? [{ request, was, next, seenAt }] : []
      })
      open = await write(changes, doubtful)
    }
    return wave.map((request) => answers.get(request) as Answer)
  }

  /** A statement for what is new, and one for what replaces something; answers with what may not have been written. */
  const write = async <Request>(
    changes: readonly Change<Request>[],
    doubtful: Map<Request, Change<Request>>,
  ): Promise<readonly Request[]> => {
    const statements = [changes.filter(({ was }) => !was), changes.filter(({ was }) => was)]
    const open: Request[] = []
    for (const statement of statements) {
      if (statement.length === 0) continue
      await server.pause()
      const now = server.now()
      const made = statement.filter((change) => isUnchanged(change, now))
      for (const { next } of made) locks.put(next.name, next)
      // The server says how many it wrote, not which.
      if (made.length === statement.length) continue
      open.push(...statement.map(({ request }) => request))
      if (made.length > 0) for (const change of statement) doubtful.set(change.request, change)
    }
    return open
  }

  const isUnchanged = ({ was, next, seenAt }: Change<unknown>, now: number): boolean => {
    const current = locks.get(next.name)
    if (!was || !current) return was === current
    return (
      current.lockUntil === was.lockUntil &&
      current.fencingToken === was.fencingToken &&
      current.lockedBy === was.lockedBy &&
      current.lockUntil > now === was.lockUntil > seenAt
    )
  }

  return {
    kind: 'mysql',
    provider: {
      acquire: (requests) => inUniqueRounds(requests, (wave) => settle(wave, byMicroseconds.acquire)),
      extend: (requests) => inUniqueRounds(requests, (wave) => settle(wave, byMicroseconds.extend)),
      release: (requests) => inUniqueRounds(requests, (wave) => settle(wave, byMicroseconds.release, orGrantedOver)),
      read: async (names) => readFrom(locks, names, server.now()),
      forceRelease: async (name) => (await settle([{ name }], resolveForceRelease))[0] === true,
      reset: async (request) => (await settle([request], resolveReset))[0] === true,
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

/** Somebody was granted the lock within the lease that was to be given back: so it was given back. */
const orGrantedOver = (answer: boolean, record: StoredLock | undefined, was: StoredLock | undefined): boolean =>
  answer || (!!record && !!was && record.fencingToken > was.fencingToken && record.lockedAt < was.lockUntil)
