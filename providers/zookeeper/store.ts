/*
 * ZooKeeper as a versioned store. Each lock is a persistent znode, and its version that of the znode's data. A znode is
 * emptied rather than deleted, since the version of one that is created again restarts at 0. Reads come after a `sync`,
 * or they might be older than what another client has written. The leader's time comes with each write.
 */
import { StoreError } from '../../src/errors.ts'
import { inChunksEach } from '../../src/provider/versioned/chunks.ts'
import type { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import type {
  TimeBounds,
  VersionedCall,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../src/provider/versioned/store.ts'
import type { Opened, Session } from './client.ts'
import {
  BAD_VERSION,
  codeOf,
  isLoss,
  lost,
  NO_NODE,
  NODE_EXISTS,
  type Stat,
  sync,
  type ZooKeeperClient,
} from './driver.ts'

/** Names in a chunk; 8 chunks are under way at once. */
const CHUNK = 64
/** Names of a list that are read in one call. */
const PAGE = 100
/** For calls without a timeout of their own, in ms. */
const TIMEOUT = 5_000
/** Wider bounds of the time are narrowed by a write before anything is decided, since they delay a takeover; in ms. */
const TOO_WIDE = 50

const EMPTY = Buffer.alloc(0)

export class ZooKeeperStore implements VersionedStore {
  readonly #session: Session
  readonly #clock: ClockEstimate
  readonly #root: string
  #sampling: Promise<unknown> | undefined

  constructor(session: Session, clock: ClockEstimate, root: string) {
    this.#session = session
    this.#clock = clock
    this.#root = root
  }

  get(names: readonly string[], { timeout }: VersionedCall): Promise<readonly VersionedEntry[]> {
    return this.#read(timeout, async (client) => {
      const found = await inChunksEach(names, CHUNK, async (name): Promise<VersionedEntry | undefined> => {
        const { data = EMPTY, stat } = (await this.#look(client, this.#pathOf(name))) ?? {}
        if (!stat || data.length === 0) return undefined
        return { name, value: data.toString(), version: String(stat.version) }
      })
      return found.filter((entry) => entry !== undefined)
    })
  }

  put(writes: readonly VersionedWrite[], { timeout }: VersionedCall): Promise<readonly WriteResult[]> {
    return this.#call(timeout, (opened) =>
      inChunksEach(writes, CHUNK, async ({ name, value, version }): Promise<WriteResult> => {
        const path = this.#pathOf(name)
        const data = Buffer.from(value)
        try {
          const done =
            version === undefined
              ? await this.#create(opened, path, data)
              : await this.#replace(opened.client, path, data, Number(version))
          return done ? 'written' : 'conflict'
        } catch (error) {
          return this.#explained(error)
        }
      }),
    )
  }

  async list(): Promise<readonly VersionedEntry[]> {
    const keys = await this.#read(TIMEOUT, (client) =>
      promised<[string[]]>((done) => client.getChildren(this.#root, done)).then(([children]) => children),
    )
    const names = keys.map((key) => ({ key, name: nameOf(key) })).filter(({ key, name }) => keyOf(name) === key)
    const entries: VersionedEntry[] = []
    for (let begin = 0; begin < names.length; begin += PAGE) {
      const page = names.slice(begin, begin + PAGE).map(({ name }) => name)
      entries.push(...(await this.get(page, { timeout: TIMEOUT })))
    }
    return entries
  }

  async remove(names: readonly VersionedName[]): Promise<number> {
    const removed = await this.#call(TIMEOUT, ({ client }) =>
      inChunksEach(names, CHUNK, ({ name, version }) =>
        this.#replace(client, this.#pathOf(name), EMPTY, Number(version)),
      ),
    )
    return removed.filter(Boolean).length
  }

  async now(): Promise<TimeBounds> {
    if (!(this.#clock.width <= TOO_WIDE)) {
      this.#sampling ??= this.#sample().finally(() => {
        this.#sampling = undefined
      })
      await this.#sampling
    }
    // A connection was lost meanwhile.
    return this.#clock.bounds ?? (await this.now())
  }

  /** Creates the znode above the locks. */
  async setup(): Promise<void> {
    await this.#call(TIMEOUT, async ({ client, acl }) => {
      const [stat] = await promised<[Stat | null]>((done) => client.exists(this.#root, done))
      if (!stat) await promised<[string]>((done) => client.mkdirp(this.#root, undefined, acl, undefined, done))
    })
    await this.now()
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  #sample(): Promise<unknown> {
    return this.#call(TIMEOUT, ({ client }) => this.#set(client, this.#root, EMPTY, -1))
  }

  async #look(
    client: ZooKeeperClient,
    path: string,
  ): Promise<{ readonly data?: Buffer; readonly stat: Stat } | undefined> {
    try {
      const [data, stat] = await promised<[Buffer | undefined, Stat]>((done) => client.getData(path, done))
      return { ...(data && { data }), stat }
    } catch (error) {
      if (codeOf(error) === NO_NODE) return undefined
      throw error
    }
  }

  /** @returns whether the znode did not exist or was empty, and has the data now */
  async #create({ client, acl }: Opened, path: string, data: Buffer): Promise<boolean> {
    try {
      await promised<[string]>((done) => client.create(path, data, acl, undefined, done))
      return true
    } catch (error) {
      if (codeOf(error) !== NODE_EXISTS) throw error
    }
    const found = await this.#look(client, path)
    if (!found || (found.data ?? EMPTY).length > 0) return false
    return await this.#replace(client, path, data, found.stat.version)
  }

  /** @returns whether the znode had the version, and has the data now */
  async #replace(client: ZooKeeperClient, path: string, data: Buffer, version: number): Promise<boolean> {
    try {
      await this.#set(client, path, data, version)
      return true
    } catch (error) {
      if (codeOf(error) === BAD_VERSION || codeOf(error) === NO_NODE) return false
      throw error
    }
  }

  async #set(client: ZooKeeperClient, path: string, data: Buffer, version: number): Promise<void> {
    const sentAt = performance.now()
    const [stat] = await promised<[Stat]>((done) => client.setData(path, data, version, done))
    const time = Number(stat.mtime.readBigInt64BE())
    this.#clock.observe({ time, sentAt, receivedAt: performance.now() })
  }

  /** Reads what all clients have written. Once more, when the connection was lost. */
  #read<Result>(timeout: number, read: (client: ZooKeeperClient) => Promise<Result>): Promise<Result> {
    const once = async ({ client }: Opened): Promise<Result> => {
      const { losses } = this.#session
      // Requests of one connection are served in their order.
      await sync(client)
      const result = await read(client)
      if (losses !== this.#session.losses) throw lost()
      return result
    }
    return this.#call(timeout, (opened, signal) =>
      once(opened).catch(async (error: unknown) => {
        if (!isLoss(error)) throw error
        return await once(await this.#session.get(signal))
      }),
    )
  }

  /** @returns what `use` returns for a connected client. Rejects after `timeout` ms. */
  async #call<Result>(timeout: number, use: (opened: Opened, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const late = AbortSignal.timeout(Math.max(1, Math.ceil(timeout)))
    const signal = AbortSignal.any([late, this.#session.closing])
    const opened = await this.#session.get(signal)
    try {
      const result = await Promise.race([use(opened, signal), aborted(signal)])
      this.#session.heard()
      return result
    } catch (error) {
      this.#session.closing.throwIfAborted()
      if (!late.aborted) throw this.#explained(error)
      await this.#session.silent()
      throw new Error(`ZooKeeper did not respond within ${Math.ceil(timeout)} ms`, { cause: error })
    }
  }

  #explained(error: unknown): Error {
    if (codeOf(error) !== NO_NODE) return error as Error
    const message = `ZooKeeper has no znode ${this.#root} yet: call provider.setup(), or run "ticklock setup"`
    return new StoreError(message, { cause: error })
  }

  #pathOf(name: string): string {
    return `${this.#root}/${keyOf(name)}`
  }
}

/** What a function of the package hands to its callback. */
const promised = <Results extends readonly unknown[]>(
  call: (done: (error: Error | null, ...results: Results) => void) => void,
): Promise<Results> =>
  new Promise((resolve, reject) => call((error, ...results) => (error ? reject(error) : resolve(results))))

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

/** Names are any strings. Those of znodes have no `/`, and are not `.` or `..`. */
const keyOf = (name: string): string => encodeURIComponent(name).replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length))

function nameOf(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return '' // not one of ours
  }
}
