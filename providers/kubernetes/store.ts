/* Kubernetes as a versioned store: one Lease a name. The version is the resourceVersion, which is opaque, and the uid. */
import { inChunks } from '../../src/provider/versioned/chunks.ts'
import type { DateClock } from '../../src/provider/versioned/date-clock.ts'
import type {
  TimeBounds,
  VersionedCall,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../src/provider/versioned/store.ts'
import { type Api, ApiError } from './client.ts'
import { entryOf, isObjectName, type Lease, leaseOf, objectName, preconditionsOf, SELECTOR } from './lease.ts'

/** More names than these are read by a list, which is one request of all locks. */
const READ_ALONE = 8
const PAGE = 500
/** For calls without a timeout of their own, in ms. */
export const TIMEOUT = 5_000

const NOT_FOUND = 404
const CONFLICT = 409
/** A list took longer than the server keeps what it is of. */
const GONE = 410

interface LeaseList {
  readonly metadata?: { readonly continue?: string }
  readonly items: readonly Lease[]
}

export class KubernetesStore implements VersionedStore {
  readonly #api: Api
  readonly #clock: DateClock
  readonly #prefix: string

  constructor(api: Api, clock: DateClock, prefix: string) {
    this.#api = api
    this.#clock = clock
    this.#prefix = prefix
  }

  async get(names: readonly string[], { timeout }: VersionedCall): Promise<readonly VersionedEntry[]> {
    if (names.length <= READ_ALONE)
      return (await Promise.all(names.map((name) => this.#get(name, timeout)))).filter((entry) => entry !== undefined)
    const nameOf = new Map(names.map((name) => [objectName(this.#prefix, name), name]))
    return (await this.#list(timeout)).flatMap((lease) => {
      const name = nameOf.get(lease.metadata.name)
      return name === undefined ? [] : [entryOf(lease, this.#prefix, name)]
    })
  }

  async put(writes: readonly VersionedWrite[], { timeout }: VersionedCall): Promise<readonly WriteResult[]> {
    return await inChunks(writes, 1, async ([write]) => (write ? [await this.#put(write, timeout)] : []))
  }

  async list(): Promise<readonly VersionedEntry[]> {
    return (await this.#list(TIMEOUT))
      .filter(({ metadata }) => isObjectName(this.#prefix, metadata.name))
      .map((lease) => entryOf(lease, this.#prefix))
  }

  async remove(names: readonly VersionedName[]): Promise<number> {
    const removed = await inChunks(names, 1, async ([name]) => (name ? [await this.#remove(name)] : []))
    return removed.filter(Boolean).length
  }

  async now(): Promise<TimeBounds> {
    return await this.#clock.now()
  }

  /** Creates nothing: shows missing rights, and measures the clock, before the first lock is wanted. */
  async setup(): Promise<void> {
    await this.#list(TIMEOUT)
    await this.now()
  }

  async close(): Promise<void> {
    this.#api.close()
  }

  async #get(name: string, timeout: number): Promise<VersionedEntry | undefined> {
    try {
      return entryOf(await this.#api.read<Lease>(`/${objectName(this.#prefix, name)}`, timeout), this.#prefix, name)
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return undefined
      throw error
    }
  }

  /** Without `resourceVersion` a list is as new as etcd. */
  async #list(timeout: number): Promise<readonly Lease[]> {
    const deadline = performance.now() + timeout
    const leases: Lease[] = []
    let token = ''
    do {
      const query = new URLSearchParams({
        labelSelector: SELECTOR,
        limit: String(PAGE),
        ...(token && { continue: token }),
      })
      try {
        const page = await this.#api.read<LeaseList>(`?${query}`, deadline - performance.now())
        leases.push(...page.items)
        token = page.metadata?.continue ?? ''
      } catch (error) {
        if (!token || !hasStatus(error, GONE)) throw error
        leases.length = 0
        token = ''
        return await this.#list(deadline - performance.now())
      }
    } while (token)
    return leases
  }

  async #put(write: VersionedWrite, timeout: number): Promise<WriteResult> {
    try {
      const lease = leaseOf(write, this.#prefix, await this.#api.namespace())
      if (write.version === undefined) await this.#api.write('POST', '', lease, timeout)
      else await this.#api.write('PUT', `/${objectName(this.#prefix, write.name)}`, lease, timeout)
      return 'written'
    } catch (error) {
      return hasStatus(error, CONFLICT) || hasStatus(error, NOT_FOUND) ? 'conflict' : (error as Error)
    }
  }

  async #remove({ name, version }: VersionedName): Promise<boolean> {
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: preconditionsOf(version) }
    try {
      await this.#api.write('DELETE', `/${objectName(this.#prefix, name)}`, options, TIMEOUT)
      return true
    } catch (error) {
      if (hasStatus(error, CONFLICT) || hasStatus(error, NOT_FOUND)) return false
      throw error
    }
  }
}

const hasStatus = (error: unknown, status: number): boolean => error instanceof ApiError && error.status === status
