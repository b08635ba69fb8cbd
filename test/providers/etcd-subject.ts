/* How the tests meet etcd: by the provider, and by requests of their own to the JSON gateway. */
import { randomUUID } from 'node:crypto'
import { Gateway } from '../../providers/etcd/client.ts'
import { type EtcdOptions, etcd } from '../../providers/etcd/index.ts'
import { EtcdStore } from '../../providers/etcd/store.ts'
import { parseEtcdUrl } from '../../providers/etcd/url.ts'
import { ClockEstimate, type TimeBounds, versionedProvider } from '../../src/provider/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { gatewayOf } from '../servers/etcd.ts'
import { jsonPoisons, storedRecord } from './versioned/versioned-subject.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The tests' own client of etcd. */
export function etcdClient(url: string, headers: Readonly<Record<string, string>> = {}) {
  const gateway = gatewayOf(url)
  const call = async (path: string, body: object): Promise<Record<string, never>> => {
    const response = await fetch(gateway + path, { method: 'POST', body: JSON.stringify(body), headers })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return (await response.json()) as Record<string, never>
  }
  return {
    call,
    async get(key: string): Promise<string | undefined> {
      const { kvs = [] } = (await call('/v3/kv/range', { key: base64(key) })) as {
        kvs?: { readonly value: string }[]
      }
      const [found] = kvs
      return found && Buffer.from(found.value, 'base64').toString()
    },
    put: (key: string, value: string) => call('/v3/kv/put', { key: base64(key), value: base64(value) }),
    delete: (key: string) => call('/v3/kv/deleterange', { key: base64(key) }),
    deleteAll: (prefix: string) =>
      call('/v3/kv/deleterange', { key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) }),
  }
}

/** etcd runs on this machine, and goes by its clock. The suite shifts `Date.now`, and not what it was before. */
const dateNow = Date.now

/** A `Date` of whole seconds is known to about two round trips, which may take some time on a busy machine. */
const CLOCK_ERROR = 60

/** With the clock of this machine, which is etcd's, read exactly. */
class ExactStore extends EtcdStore {
  override async now(): Promise<TimeBounds> {
    return { earliest: dateNow(), latest: dateNow() }
  }
}

/** For what compares times exactly, such as a model: all but the estimate of the clock is as ever. */
export function exactEtcdSubject(url: string): ConformanceSubject {
  const prefix = `test-${randomUUID()}/`
  const clock = new ClockEstimate(1_000)
  return {
    ...etcdSubject(url, { prefix }),
    connect: () => versionedProvider(new ExactStore(new Gateway(parseEtcdUrl(url), fetch, clock), clock, prefix)),
  }
}

export function etcdSubject(url: string, options: Partial<EtcdOptions> = {}): ConformanceSubject {
  const { prefix = `test-${randomUUID()}/` } = options
  const client = etcdClient(url)
  return {
    name: 'etcd',
    clock: 'store',
    clockError: CLOCK_ERROR,
    connect: () => etcd({ url, ...options, prefix }),
    now: () => dateNow(),
    look: async (name) => storedRecord(await client.get(prefix + name)),
    lose: async (name) => void (await client.delete(prefix + name)),
    unreachable: () => etcd('etcd://127.0.0.1:1'),
    unprepared: (place) => etcd({ url, prefix: `${place}/` }),
    clientSurvivesClose: 'there is no client: every request is a fetch',
    poisons: jsonPoisons(
      (name) => client.get(prefix + name),
      (name, value) => client.put(prefix + name, value),
    ),
    lockRecord: 'etcd has no transactions that stay open',
    asShedLock: "ShedLock's etcd provider keeps a lock under a lease of etcd, which forgets the last tick",
    keepsNoHistory: 'etcd is no place for history: it keeps every version of a key until it is compacted',
    after: async () => void (await client.deleteAll(prefix)),
  }
}
