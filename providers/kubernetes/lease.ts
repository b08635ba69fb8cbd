/*
 * A lock as a Lease of `coordination.k8s.io/v1`. The exact record is an annotation, and so is the lock's name, since the name of an object can't hold it. The
 * spec is for people (`kubectl get leases`) and decides nothing.
 */
import { createHash } from 'node:crypto'
import { labelOf } from '../../src/provider/holder.ts'
import { decodeLock, readableLock } from '../../src/provider/versioned/codec.ts'
import type { VersionedEntry, VersionedWrite } from '../../src/provider/versioned/store.ts'

const NAME = 'ticklock/name'
const RECORD = 'ticklock/record'
const LABEL = 'app.kubernetes.io/managed-by'

/** Selects the Leases that are locks. */
export const SELECTOR = `${LABEL}=ticklock`

export interface Lease {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations?: Readonly<Record<string, string>>
  }
}

/** The name of the Lease: the prefix, and 128 bits of a hash. */
export const objectName = (prefix: string, name: string): string =>
  prefix + createHash('sha256').update(name).digest('hex').slice(0, 32)

/** Whether a Lease belongs to the provider of this prefix, and not to one whose prefix begins like it. */
export const isObjectName = (prefix: string, object: string): boolean =>
  object.startsWith(prefix) && /^[\da-f]{32}$/.test(object.slice(prefix.length))

/** @param name of the lock, where it is known */
export function entryOf({ metadata }: Lease, prefix: string, name = metadata.annotations?.[NAME]): VersionedEntry {
  const { name: object, uid, resourceVersion, annotations } = metadata
  // A Lease that is no lock of its name is shown by the name of the object, as one that can't be read.
  const isLock = name !== undefined && objectName(prefix, name) === object
  return {
    name: isLock ? name : object,
    value: (isLock && annotations?.[RECORD]) || '',
    version: `${resourceVersion} ${uid}`,
  }
}

/** Both together: a resourceVersion alone does not keep a PUT from making a Lease anew that was deleted meanwhile. */
export function preconditionsOf(version: string): { readonly resourceVersion: string; readonly uid: string } {
  const [resourceVersion = '', uid = ''] = version.split(' ')
  return { resourceVersion, uid }
}

export function leaseOf({ name, value, version }: VersionedWrite, prefix: string, namespace: string): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: objectName(prefix, name),
      namespace,
      labels: { [LABEL]: 'ticklock' },
      annotations: { [NAME]: name, [RECORD]: value },
      ...(version !== undefined && preconditionsOf(version)),
    },
    spec: specOf(name, value),
  }
}

function specOf(name: string, value: string): object {
  const { lockedBy, lockedAt, lockUntil } = readableLock(decodeLock(name, value))
  return {
    holderIdentity: labelOf(lockedBy),
    acquireTime: microTime(lockedAt),
    renewTime: microTime(lockedAt),
    // At least 1, and 32 bits.
    leaseDurationSeconds: Math.min(2 ** 31 - 1, Math.max(1, Math.ceil((lockUntil - lockedAt) / 1_000))),
  }
}

/** RFC 3339 with six digits, neither more nor fewer. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
