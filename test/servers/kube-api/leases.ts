/* The verbs of Leases, with the rules of the registry of kube-apiserver: a Lease may be created by PUT, and is never updated without its version. */
import { randomUUID } from 'node:crypto'
import {
  alreadyExists,
  badRequest,
  checkDecodable,
  checkValid,
  conflict,
  invalid,
  type Lease,
  notFound,
  StatusError,
} from './rules.ts'
import { ExpiredError, type Storage, type Stored } from './storage.ts'

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

export class Leases {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  async get(namespace: string, name: string): Promise<Lease> {
    const stored = await this.#storage.get(keyOf(namespace, name))
    if (!stored) throw notFound(name)
    return leaseOf(stored)
  }

  async list(namespace: string, query: URLSearchParams): Promise<object> {
    const prefix = keyOf(namespace, '')
    const limit = Number(query.get('limit') ?? 0)
    const token = query.get('continue')
    const { from, revision } = token ? (JSON.parse(Buffer.from(token, 'base64url').toString()) as Continue) : START
    const page = await this.#storage.list(prefix, prefix + from, limit, revision).catch((error: unknown) => {
      if (error instanceof ExpiredError)
        throw new StatusError(410, 'Expired', 'The provided continue parameter is too old')
      throw error
    })
    const last = page.items.at(-1)
    const next: Continue = { from: `${last?.key.slice(prefix.length)}\0`, revision: page.revision }
    return {
      kind: 'LeaseList',
      apiVersion: 'coordination.k8s.io/v1',
      metadata: {
        resourceVersion: page.revision,
        ...(page.more && { continue: Buffer.from(JSON.stringify(next)).toString('base64url') }),
      },
      items: page.items.map(leaseOf).filter(selectedBy(query.get('labelSelector') ?? '')),
    }
  }

  async create(namespace: string, lease: Lease): Promise<Lease> {
    const name = lease.metadata?.name ?? ''
    checkDecodable(lease)
    checkPlace(namespace, name, lease)
    if (lease.metadata?.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
    return await this.#create(namespace, name, lease)
  }

  /** @returns whether the Lease was created, and the Lease */
  async update(namespace: string, name: string, lease: Lease): Promise<readonly [created: boolean, lease: Lease]> {
    checkDecodable(lease)
    checkPlace(namespace, name, lease)
    const { uid, resourceVersion } = lease.metadata ?? {}
    const stored = await this.#storage.get(keyOf(namespace, name))
    const existing = stored && leaseOf(stored)
    if (uid && uid !== existing?.metadata?.uid)
      throw conflict(
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing?.metadata?.uid ?? ''}`,
      )
    if (!stored || !existing) return [true, await this.#create(namespace, name, lease)]
    if (!resourceVersion)
      throw invalid(name, 'metadata.resourceVersion: Invalid value: 0x0: must be specified for an update')
    if (resourceVersion !== stored.revision) throw conflict(name, MODIFIED)
    checkValid(name, lease)
    const { uid: kept, creationTimestamp } = existing.metadata ?? {}
    const value = JSON.stringify({
      ...lease,
      metadata: { ...lease.metadata, name, namespace, uid: kept, creationTimestamp },
    })
    const revision = await this.#storage.put(keyOf(namespace, name), value, stored.revision)
    if (revision === undefined) throw conflict(name, MODIFIED)
    return [false, leaseOf({ value, revision })]
  }

  async delete(namespace: string, name: string, options: DeleteOptions): Promise<object> {
    for (;;) {
      const stored = await this.#storage.get(keyOf(namespace, name))
      if (!stored) throw notFound(name)
      const { uid, resourceVersion } = options.preconditions ?? {}
      const { metadata } = leaseOf(stored)
      if (uid && uid !== metadata?.uid)
        throw conflict(name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata?.uid}`)
      if (resourceVersion && resourceVersion !== stored.revision)
        throw conflict(
          name,
          `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${stored.revision}`,
        )
      if (await this.#storage.delete(keyOf(namespace, name), stored.revision))
        return {
          ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' },
          details: { name, group: 'coordination.k8s.io', kind: 'leases', uid: metadata?.uid },
        }
    }
  }

  async #create(namespace: string, name: string, lease: Lease): Promise<Lease> {
    checkValid(name, lease)
    const creationTimestamp = `${new Date().toISOString().slice(0, 19)}Z`
    const { resourceVersion: _, ...metadata } = lease.metadata ?? {}
    const value = JSON.stringify({
      ...lease,
      metadata: { ...metadata, name, namespace, uid: randomUUID(), creationTimestamp },
    })
    const revision = await this.#storage.put(keyOf(namespace, name), value, '0')
    if (revision === undefined) throw alreadyExists(name)
    return leaseOf({ value, revision })
  }
}

export interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

interface Continue {
  readonly from: string
  readonly revision: string | undefined
}

const START: Continue = { from: '', revision: undefined }

const keyOf = (namespace: string, name: string): string => `/registry/leases/${namespace}/${name}`

function leaseOf({ value, revision }: Stored): Lease {
  const { metadata, ...lease } = JSON.parse(value) as Lease
  return { ...lease, metadata: { ...metadata, resourceVersion: revision } }
}

function checkPlace(namespace: string, name: string, { metadata }: Lease): void {
  if (metadata?.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (metadata?.name !== name) throw badRequest('the name of the object does not match the name on the URL')
}

/** Of the selectors only `key=value,key=value`. */
function selectedBy(selector: string): (lease: Lease) => boolean {
  const wanted = selector
    .split(',')
    .filter(Boolean)
    .map((term) => term.split(/==?/))
  return ({ metadata }) => wanted.every(([key = '', value]) => metadata?.labels?.[key] === value)
}
