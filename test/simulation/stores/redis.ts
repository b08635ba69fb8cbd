/*
 * Redis, one server or a cluster, as its documentation has it:
 *
 *   - A script runs alone, with one reading of TIME, in microseconds ("Scripting with Lua"). A batch is one script for each 200 requests; in
 *     a cluster one for each slot, and each name has a slot of its own: others come in between.
 *   - Replication is asynchronous: a replica that takes over, by Sentinel or in a cluster, may lack the last writes ("Redis replication",
 *     "Redis Cluster consistency guarantees"). In a cluster that is one master, with its slots and its clock.
 *   - What a crash forgets is up to the persistence: with appendfsync always nothing, with everysec up to a second, without it all
 *     ("Redis persistence").
 *   - An eviction policy drops single keys ("Key eviction"): a record is one, so it is lost whole.
 */

import type { ExtendRequest, Lease } from '../../../src/provider/contract.ts'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { type Resolver, resolveForceRelease, resolveReset } from '../../../src/provider/resolve.ts'
import { Kept } from './kept.ts'
import { byMicroseconds, byName, pruneFrom, readFrom } from './records.ts'
import { Server } from './server.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

/** As the provider has it. */
const CHUNK = 200

interface Named {
  readonly name: string
}

/** One master: its clock and its records. */
interface Master {
  readonly server: Server
  readonly locks: Kept<StoredLock>
}

export function redisStore(world: StoreWorld): SimulatedStore {
  const { masters: count = 1, persistence = 'everysec', random } = world
  const masters = Array.from(
    { length: count },
    (): Master => ({ server: new Server(world, 'microseconds'), locks: new Kept(world.now) }),
  )
  const one = (): Master => masters[Math.floor(random() * count)] as Master
  const masterOf = (name: string): Master => masters[slotOf(name) % count] as Master

  /** Sends a batch as scripts, side by side. */
  const run = async <Request extends Named, Answer>(
    requests: readonly Request[],
    decide: Resolver<Request, Answer>,
  ): Promise<Answer[]> => {
    const answers = new Map<Request, Answer>()
    for (const [index, script] of scripts(requests, count > 1).entries()) {
      const { server, locks } = masterOf(script[0]?.name ?? '')
      if (index > 0) await server.pause()
      const now = server.now()
      for (const request of script) {
        const { result, next } = decide(locks.get(request.name), request, now)
        if (next) locks.put(request.name, next)
        answers.set(request, result)
      }
    }
    return requests.map((request) => answers.get(request) as Answer)
  }

  const crash = ({ server, locks }: Master): void => {
    server.crash()
    if (persistence === 'none') locks.clear()
    else if (persistence === 'everysec') locks.forget(random() * 1_000)
  }

  return {
    kind: 'redis',
    provider: {
      acquire: (requests) => run(requests, byMicroseconds.acquire),
      extend: (requests) => run(requests, extend),
      release: (requests) => run(requests, byMicroseconds.release),
      read: async (names) => masters.flatMap(({ server, locks }) => readFrom(locks, names, server.now())).sort(byName),
      forceRelease: async (name) => (await run([{ name }], resolveForceRelease))[0] === true,
      reset: async (request) => (await run([request], resolveReset))[0] === true,
      prune: async (olderThanMs) =>
        masters.reduce((sum, { server, locks }) => sum + pruneFrom(locks, server.now() - olderThanMs), 0),
      async close() {},
    },
    /** Of a cluster, one master. */
    restart: () => crash(one()),
    failover(lostMs) {
      const { server, locks } = one()
      server.replace()
      locks.forget(lostMs)
    },
    lose: (name) => masterOf(name).locks.drop(name),
  }
}

/** A time that a request names is written in microseconds, too. */
const extend: Resolver<ExtendRequest, Lease | undefined> = (record, request, now) => {
  const { mayShortenUntil } = request
  if (mayShortenUntil === undefined) return byMicroseconds.extend(record, request, now)
  const rounded = Math.round(mayShortenUntil * 1_000) / 1_000
  return byMicroseconds.extend(record, { ...request, mayShortenUntil: rounded }, now)
}

/** Cuts a batch into what one script takes. The requests of one name stay together, in their order. */
function scripts<Request extends Named>(requests: readonly Request[], bySlot: boolean): Request[][] {
  const all: Request[][] = []
  const withName = new Map<string, Request[]>()
  for (const request of requests) {
    let script = withName.get(request.name)
    if (!script) {
      const last = all.at(-1)
      script = last && !bySlot && last.length < CHUNK ? last : []
      if (script !== last) all.push(script)
      withName.set(request.name, script)
    }
    script.push(request)
  }
  return all
}

/** Any spreading will do in place of the cluster's CRC16. */
const slotOf = (name: string): number =>
  [...name].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0, 7)
