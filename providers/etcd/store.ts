/*
 * etcd as a versioned store. Each lock is one key, without a lease: when a lease of etcd ends, etcd deletes the key, and with it the last tick. The version is
 * the revision of the key's last change, which never comes back.
 */
import { inChunks } from '../../src/provider/versioned/chunks.ts'
import type { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import type {
  TimeBounds,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../src/provider/versioned/store.ts'
import type { Gateway } from './client.ts'

/** etcd takes 128 operations in a transaction, and counts those of nested ones. */
const CHUNK = 64
const PAGE = 500
/** For calls without a timeout of their own, in ms. */
const TIMEOUT = 5_000

/** The bounds of the time are narrowed to this, in ms. */
const NARROW = 20
/** Wider bounds are narrowed before anything is decided, since they delay a takeover; in ms. */
const TOO_WIDE = 250
/** A new second begins within this time, in ms, and two round trips. */
const NARROWS_WITHIN = 1_500

/** Integers of 64 bits come as strings, and what is zero, false or empty does not come at all. */
interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}
interface RangeReply {
  readonly kvs?: readonly KeyValue[]
  readonly more?: boolean
}
interface TxnReply {
  readonly succeeded?: boolean
  readonly responses?: readonly { readonly response_range?: RangeReply; readonly response_txn?: TxnReply }[]
}

export class EtcdStore implements VersionedStore {
  readonly #gateway: Gateway
  readonly #clock: ClockEstimate
  readonly #prefix: string
  #narrowing: Promise<void> | undefined

  constructor(gateway: Gateway, clock: ClockEstimate, prefix: string) {
    this.#gateway = gateway
    this.#clock = clock
    this.#prefix = prefix
  }

  async get(names: readonly string[], { timeout }: { readonly timeout: number }): Promise<readonly VersionedEntry[]> {
    return await inChunks(names, CHUNK, async (chunk) => {
      const success = chunk.map((name) => ({ request_range: { key: this.#key(name) } }))
      const { responses = [] } = await this.#gateway.read<TxnReply>('/v3/kv/txn', { success }, timeout)
      return responses.flatMap(({ response_range }) => response_range?.kvs?.map(this.#entry) ?? [])
    })
  }

  async put(
    writes: readonly VersionedWrite[],
    { timeout }: { readonly timeout: number },
  ): Promise<readonly WriteResult[]> {
    return await inChunks(writes, CHUNK, async (chunk) => {
      try {
        const changed = await this.#changeIf(chunk, timeout, ({ name, value }) => ({
          request_put: { key: this.#key(name), value: encode(value) },
        }))
        return changed.map((done): WriteResult => (done ? 'written' : 'conflict'))
      } catch (error) {
        return chunk.map(() => error as Error)
      }
    })
  }

  async list(): Promise<readonly VersionedEntry[]> {
    const entries: VersionedEntry[] = []
    const range_end = endOf(this.#prefix)
    let key = encode(this.#prefix)
    for (;;) {
      const body = { key, range_end, limit: PAGE }
      const { kvs = [], more } = await this.#gateway.read<RangeReply>('/v3/kv/range', body, TIMEOUT)
      entries.push(...kvs.map(this.#entry))
      const last = kvs.at(-1)
      if (!more || !last) return entries
      key = Buffer.concat([Buffer.from(last.key, 'base64'), Buffer.of(0)]).toString('base64')
    }
  }

  async remove(names: readonly VersionedName[]): Promise<number> {
    const removed = await inChunks(names, CHUNK, (chunk) =>
      this.#changeIf(chunk, TIMEOUT, ({ name }) => ({ request_delete_range: { key: this.#key(name) } })),
    )
    return removed.filter(Boolean).length
  }

  async now(): Promise<TimeBounds> {
    if (this.#clock.width > NARROW && !this.#narrowing) {
      this.#narrowing = this.#narrow()
      // A failure matters only to whoever waits for it.
      this.#narrowing.catch(() => {})
    }
    if (this.#clock.width > TOO_WIDE) await this.#narrowing
    const { bounds } = this.#clock
    // The endpoint has changed meanwhile: its clock is another one.
    return bounds ?? (await this.now())
  }

  /** Creates nothing: shows missing rights, and measures the clock, before the first lock is wanted. */
  async setup(): Promise<void> {
    await this.get(['ticklock'], { timeout: TIMEOUT })
    await this.now()
  }

  async close(): Promise<void> {
    this.#gateway.close()
  }

  async #narrow(): Promise<void> {
    try {
      await this.#clock.narrow(() => this.#gateway.sampleClock(TIMEOUT), { width: NARROW, within: NARROWS_WITHIN })
    } finally {
      this.#narrowing = undefined
    }
  }

  /** For each change a nested transaction, which is done if the key has the version. Returns whether it was. */
  async #changeIf<Change extends { readonly name: string; readonly version: string | undefined }>(
    changes: readonly Change[],
    timeout: number,
    operation: (change: Change) => object,
  ): Promise<readonly boolean[]> {
    const success = changes.map((change) => ({
      request_txn: {
        // A key that does not exist has the revision 0.
        compare: [{ key: this.#key(change.name), target: 'MOD', result: 'EQUAL', mod_revision: change.version ?? '0' }],
        success: [operation(change)],
      },
    }))
    const { responses = [] } = await this.#gateway.write<TxnReply>('/v3/kv/txn', { success }, timeout)
    if (responses.length !== changes.length) throw new Error('etcd returned fewer results than it was sent changes')
    return responses.map(({ response_txn }) => response_txn?.succeeded === true)
  }

  #key(name: string): string {
    return encode(this.#prefix + name)
  }

  #entry = ({ key, value = '', mod_revision }: KeyValue): VersionedEntry => ({
    name: decode(key).slice(this.#prefix.length),
    value: decode(value),
    version: mod_revision,
  })
}

const encode = (text: string): string => Buffer.from(text).toString('base64')
const decode = (base64: string): string => Buffer.from(base64, 'base64').toString()

/** The first key after all that begin with the prefix. UTF-8 has no byte 255, so the last byte can be raised. */
function endOf(prefix: string): string {
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) ?? 0) + 1
  return end.toString('base64')
}
