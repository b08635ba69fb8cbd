/* How the tests meet ZooKeeper: by the provider, and by a client of their own. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type Client, createClient } from 'node-zookeeper-client'
import { Session } from '../../providers/zookeeper/client.ts'
import type { ZooKeeperClient } from '../../providers/zookeeper/driver.ts'
import { type ZooKeeperOptions, zookeeper } from '../../providers/zookeeper/index.ts'
import { ZooKeeperStore } from '../../providers/zookeeper/store.ts'
import { parseZooKeeperUrl } from '../../providers/zookeeper/url.ts'
import { ClockEstimate, type TimeBounds, versionedProvider } from '../../src/provider/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { jsonPoisons, storedRecord } from './versioned/versioned-subject.ts'

const NO_NODE = -101

/** The tests' own client, which connects at its first use. */
export function zookeeperClient(url: string, root: string) {
  let connecting: Promise<Client> | undefined
  const open = async (): Promise<Client> => {
    const client = createClient(url.replace('zookeeper://', ''), { sessionTimeout: 30_000 })
    client.connect()
    await once(client, 'connected')
    return client
  }
  const client = () => (connecting ??= open())
  const pathOf = (name: string): string =>
    `${root}/${/^\.+$/.test(name) ? name.replaceAll('.', '%2E') : encodeURIComponent(name)}`
  const call = async <Result>(
    use: (client: Client, done: (error: unknown, result: Result) => void) => void,
  ): Promise<Result> => {
    const connected = await client()
    return await new Promise((resolve, reject) =>
      use(connected, (error, result) => (error ? reject(error as Error) : resolve(result))),
    )
  }
  const unlessGone = async <Result>(done: Promise<Result>): Promise<Result | undefined> =>
    await done.catch((error: { code?: unknown }) => {
      if (error.code !== NO_NODE) throw error
      return undefined
    })
  return {
    client,
    call,
    pathOf,
    get: async (name: string) =>
      (await unlessGone(call<Buffer | undefined>((zk, done) => zk.getData(pathOf(name), done))))?.toString() ||
      undefined,
    put: async (name: string, value: string) => {
      const data = Buffer.from(value)
      const stat = await call<unknown>((zk, done) => zk.exists(pathOf(name), done))
      if (stat) await call((zk, done) => zk.setData(pathOf(name), data, done))
      else await call((zk, done) => zk.create(pathOf(name), data, done))
    },
    delete: (name: string) => unlessGone(call<void>((zk, done) => zk.remove(pathOf(name), (error) => done(error)))),
    destroy: (path = root) =>
      unlessGone(
        call<void>((zk, done) =>
          (zk as unknown as { removeRecursive(path: string, done: (error: unknown) => void): void }).removeRecursive(
            path,
            (error) => done(error),
          ),
        ),
      ),
    close: async () => {
      if (!connecting) return
      const opened = await connecting
      const ended = once(opened, 'disconnected')
      opened.close()
      await ended
    },
  }
}

/** ZooKeeper runs on this machine, and goes by its clock. The suite shifts `Date.now`, and not what it was before. */
const dateNow = Date.now

/** The time is known to a round trip of a write, which may take some time on a busy machine. */
const CLOCK_ERROR = 60

/** With the clock of this machine, which is ZooKeeper's, read exactly. */
class ExactStore extends ZooKeeperStore {
  override async now(): Promise<TimeBounds> {
    return { earliest: dateNow(), latest: dateNow() }
  }
}

/** For what compares times exactly, such as a model: all but the estimate of the clock is as ever. */
export function exactZooKeeperSubject(url: string): ConformanceSubject {
  const root = `/test-${randomUUID()}`
  return {
    ...zookeeperSubject(url, { root }),
    connect: () => {
      const clock = new ClockEstimate(1)
      return versionedProvider(new ExactStore(new Session(parseZooKeeperUrl(url), () => {}), clock, root))
    },
  }
}

export function zookeeperSubject(url: string, options: Partial<ZooKeeperOptions> = {}): ConformanceSubject {
  const { root = `/test-${randomUUID()}` } = options
  const own = zookeeperClient(url, root)
  const places = new Set<string>()
  return {
    name: 'zookeeper',
    clock: 'store',
    clockError: CLOCK_ERROR,
    connect: () => zookeeper({ url, ...options, root }),
    now: () => dateNow(),
    look: async (name) => storedRecord(await own.get(name)),
    lose: async (name) => void (await own.delete(name)),
    unreachable: () => zookeeper('zookeeper://127.0.0.1:1'),
    unprepared(place) {
      places.add(`/${place}`)
      return zookeeper({ url, root: `/${place}` })
    },
    async clientSurvivesClose() {
      const client = await own.client()
      const provider = zookeeper({ client: client as unknown as ZooKeeperClient, root })
      await provider.read(['survives'])
      await provider.close()
      return Array.isArray(await own.call<string[]>((zk, done) => zk.getChildren('/', done)))
    },
    poisons: jsonPoisons(own.get, own.put),
    lockRecord: 'ZooKeeper has no transactions that stay open',
    asShedLock: "ShedLock's ZooKeeper provider writes no lock as a record that another may read",
    keepsNoHistory: 'ZooKeeper is no place for history: it keeps all in memory',
    async after() {
      for (const place of places) await own.destroy(place)
      await own.destroy()
      await own.close()
    },
  }
}
