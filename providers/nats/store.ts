/*
 * A key-value bucket of NATS as a versioned store. The version is the sequence number of the key's last message in the
 * stream below the bucket, which never comes back. All reads come from the server that leads the stream.
 */
import { setTimeout as after } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import { inChunksEach } from '../../src/provider/versioned/chunks.ts'
import type {
  TimeBounds,
  VersionedCall,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../src/provider/versioned/store.ts'
import type { BucketSource, OpenedBucket } from './client.ts'
import type { StreamInfo } from './driver.ts'

/** Names in a chunk; 8 chunks are under way at once. A server with more than 10,000 pending requests drops them all. */
const CHUNK = 64
/** Names of a list that are read in one call. */
const PAGE = 500
/** For calls without a timeout of their own, in ms. */
const TIMEOUT = 5_000

const STREAM_NOT_FOUND = 10_059
const STREAM_EXISTS_WITH_OTHER_CONFIG = 10_058
/** The second: in a cluster, another write for the key is under way. */
const WRONG_LAST_SEQUENCE: readonly unknown[] = [10_071, 10_164]

export class NatsStore implements VersionedStore {
  readonly #source: BucketSource
  readonly #bucket: string
  readonly #stream: string
  readonly #subjects: string

  constructor(source: BucketSource, bucket: string) {
    this.#source = source
    this.#bucket = bucket
    this.#stream = `KV_${bucket}`
    this.#subjects = `$KV.${bucket}.`
  }

  get(names: readonly string[], { timeout }: VersionedCall): Promise<readonly VersionedEntry[]> {
    return this.#read(timeout, async ({ kv }) => {
      const found = await inChunksEach(names, CHUNK, async (name): Promise<VersionedEntry | undefined> => {
        const entry = await kv.get(keyOf(name))
        // A removed key has a marker in its place.
        if (entry?.operation !== 'PUT') return undefined
        return { name, value: entry.string(), version: String(entry.revision) }
      })
      return found.filter((entry) => entry !== undefined)
    })
  }

  put(writes: readonly VersionedWrite[], { timeout }: VersionedCall): Promise<readonly WriteResult[]> {
    return this.#call(timeout, ({ kv }) =>
      inChunksEach(writes, CHUNK, async ({ name, value, version }): Promise<WriteResult> => {
        try {
          if (version === undefined) await kv.create(keyOf(name), value)
          else await kv.update(keyOf(name), value, Number(version), timeout)
          return 'written'
        } catch (error) {
          return isConflict(error) ? 'conflict' : (error as Error)
        }
      }),
    )
  }

  async list(): Promise<readonly VersionedEntry[]> {
    const { state } = await this.#read(TIMEOUT, ({ streams }) =>
      streams.info(this.#stream, { subjects_filter: `${this.#subjects}>` }),
    )
    const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(this.#subjects.length))
    const names = keys.map((key) => ({ key, name: nameOf(key) })).filter(({ key, name }) => keyOf(name) === key)
    const entries: VersionedEntry[] = []
    for (let begin = 0; begin < names.length; begin += PAGE) {
      const page = names.slice(begin, begin + PAGE).map(({ name }) => name)
      entries.push(...(await this.get(page, { timeout: TIMEOUT })))
    }
    return entries
  }

  async remove(names: readonly VersionedName[]): Promise<number> {
    const removed = await this.#call(TIMEOUT, ({ kv }) =>
      inChunksEach(names, CHUNK, async ({ name, version }) => {
        try {
          await kv.delete(keyOf(name), { previousSeq: Number(version) })
          return true
        } catch (error) {
          if (isConflict(error)) return false
          throw error
        }
      }),
    )
    return removed.filter(Boolean).length
  }

  async now(): Promise<TimeBounds> {
    const info = await this.#read(TIMEOUT, ({ streams }) => streams.info(this.#stream))
    this.#check(info)
    const time = Date.parse(info.ts ?? '')
    if (Number.isNaN(time)) throw new StoreError('NATS tells no time: ticklock needs nats-server 2.10 or later')
    return { earliest: time, latest: time }
  }

  /** Creates the bucket. */
  async setup(): Promise<void> {
    await this.#call(TIMEOUT, async (bucket) => {
      await bucket.create().catch((error: unknown) => {
        if (codeOf(error) !== STREAM_EXISTS_WITH_OTHER_CONFIG) throw error
      })
    })
    await this.now()
  }

  close(): Promise<void> {
    return this.#source.close()
  }

  /** A bucket that forgets values by itself would forget the last ticks. */
  #check({ config: { max_age = 0, discard, mirror } }: StreamInfo): void {
    const fault =
      max_age > 0
        ? 'has a TTL'
        : discard !== 'new'
          ? 'discards old values'
          : mirror
            ? 'is a mirror of another'
            : undefined
    if (fault !== undefined)
      throw new StoreError(
        `the bucket "${this.#bucket}" ${fault}, so it can't keep locks: use one that provider.setup() creates`,
      )
  }

  /** What may be repeated: it is, when the connection broke. */
  #read<Result>(timeout: number, read: (bucket: OpenedBucket) => Promise<Result>): Promise<Result> {
    return this.#call(timeout, async (bucket) => {
      try {
        return await read(bucket)
      } catch (error) {
        if (!bucket.isClosed()) throw error
        return await read(await this.#source.get())
      }
    })
  }

  /** @returns what `use` returns. Rejects after `timeout` ms. */
  async #call<Result>(timeout: number, use: (bucket: OpenedBucket) => Promise<Result>): Promise<Result> {
    const done = new AbortController()
    const late = after(Math.max(1, timeout), undefined, { signal: done.signal }).then(() => {
      throw new Error(`NATS did not respond within ${Math.ceil(timeout)} ms`)
    })
    try {
      return await Promise.race([this.#source.get().then(use), late])
    } catch (error) {
      if (codeOf(error) !== STREAM_NOT_FOUND) throw error
      throw new StoreError(`NATS has no bucket "${this.#bucket}" yet: call provider.setup(), or run "ticklock setup"`, {
        cause: error,
      })
    } finally {
      done.abort()
      late.catch(() => {})
    }
  }
}

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | undefined)?.code
const isConflict = (error: unknown): boolean => WRONG_LAST_SEQUENCE.includes(codeOf(error))

/** Names are any strings, and keys of NATS are not. */
const keyOf = (name: string): string => Buffer.from(name).toString('base64url')
const nameOf = (key: string): string => Buffer.from(key, 'base64url').toString()
