/*
 * Redis, one server or a cluster, as its documentation has it:
 *
 *   - A script runs alone, with one reading of TIME, in microseconds ("Scripting with Lua"). A batch is one script for each 200 requests; in
 *     a cluster one for each slot, and each name has a slot of its own: others come in between.
 *   - A key that expires in a millisecond is there through all of it ("EXPIRE", "PEXPIREAT"), so leases end with a millisecond.
 *   - Replication is asynchronous: a replica that takes over, by Sentinel or in a cluster, may lack the last writes ("Redis replication",
 *     "Redis Cluster consistency guarantees"). In a cluster that is one master, with its slots and its clock.
 *   - What a crash forgets is up to the persistence: with appendfsync always nothing, with everysec up to a second, without it all
 *     ("Redis persistence").
 *   - An eviction policy drops single keys ("Key eviction"): of a lock its key, or the state beside it.
 */
import type { LockRecord } from '../../../src/provider/contract.ts'
import { byName } from './records.ts'
import { RedisMaster } from './redis-master.ts'
import type { SimulatedStore, StoreWorld } from './store.ts'

/** As the provider has it. */
const CHUNK = 200

interface Named {
  readonly name: string
}

export function redisStore(world: StoreWorld): SimulatedStore {
  const { masters: count = 1, persistence = 'everysec', random } = world
  const masters = Array.from({ length: count }, () => new RedisMaster(world))
  const one = (): RedisMaster => masters[Math.floor(random() * count)] as RedisMaster
  const masterOf = (name: string): RedisMaster => masters[slotOf(name) % count] as RedisMaster

  /** Sends a batch as scripts, side by side. */
  const run = async <Request extends Named, Answer>(
    requests: readonly Request[],
    decide: (master: RedisMaster, request: Request, now: number) => Answer,
  ): Promise<Answer[]> => {
    const answers = new Map<Request, Answer>()
    for (const [index, script] of scripts(requests, count > 1).entries()) {
      const master = masterOf(script[0]?.name ?? '')
      if (index > 0) await master.server.pause()
      const now = master.server.now()
      for (const request of script) answers.set(request, decide(master, request, now))
    }
    return requests.map((request) => answers.get(request) as Answer)
  }

  const namesInStore = (part: 'state' | 'any'): Named[] => masters.flatMap((master) => named(master.names(part)))

  const crash = (master: RedisMaster): void => {
    master.server.crash()
    if (persistence === 'none') master.clear()
    else if (persistence === 'everysec') master.forget(random() * 1_000)
  }

  return {
    kind: 'redis',
    provider: {
      acquire: (requests) => run(requests, (master, request, now) => master.acquire(request, now)),
      extend: (requests) => run(requests, (master, request, now) => master.extend(request, now)),
      release: (requests) => run(requests, (master, request, now) => master.release(request, now)),
      async read(names) {
        const wanted = names ? named(new Set(names)) : namesInStore('any')
        const found = await run(wanted, (master, { name }, storeTime): LockRecord | undefined => {
          const record = master.read(name, storeTime)
          return record && { ...record, storeTime }
        })
        return found.filter((record) => record !== undefined).sort(byName)
      },
      forceRelease: async (name) => masterOf(name).forceRelease(name, masterOf(name).server.now()),
      reset: async (request) => masterOf(request.name).reset(request, masterOf(request.name).server.now()),
      async prune(olderThanMs) {
        const dropped = await run(namesInStore('state'), (master, { name }, now) =>
          master.prune(name, olderThanMs, now),
        )
        return dropped.filter(Boolean).length
      },
      async close() {},
    },
    /** Of a cluster, one master. */
    restart: () => crash(one()),
    failover(lostMs) {
      const master = one()
      master.server.replace()
      master.forget(lostMs)
    },
    evict: (name) => masterOf(name).evict(name, random() < 0.5 ? 'key' : 'state'),
    lose(name) {
      masterOf(name).evict(name, 'key')
      masterOf(name).evict(name, 'state')
    },
  }
}

const named = (names: Iterable<string>): Named[] => Array.from(names, (name) => ({ name }))

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
