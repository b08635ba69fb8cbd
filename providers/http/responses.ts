/* What a server responded: checked before it is believed. A proxy, a cache or another version may stand between. */
import { StoreError } from '../../src/errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  Lease,
  LockRecord,
  Settled,
  UnreadableRecord,
} from '../../src/provider/contract.ts'
import { checkLock } from '../../src/provider/record.ts'
import { fromWireError, isWireError } from '../../src/provider/wire.ts'

type Json = Readonly<Record<string, unknown>>
interface Holder {
  readonly name: string
  readonly owner: string
}

const REASONS: readonly unknown[] = ['held', 'tick-taken', 'clock-ahead', 'paused']

/** A field of a response is missing, or none that it can be. */
const malformed = (what: string): StoreError =>
  new StoreError(
    `the server responded with something else than ${what}; do its version and ticklock's fit, and is it ticklock serve?`,
  )

export function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw malformed(what)
}

export function arrayOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(what)
}

export function booleanOf(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw malformed(what)
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number') return value
  throw malformed(what)
}

/** The results of a batch: an error in the place of a request that failed alone. */
export function resultsOf<Request extends { readonly name: string }, Result>(
  body: unknown,
  requests: readonly Request[],
  decode: (result: Json, request: Request) => Result,
): Settled<Result>[] {
  const results = arrayOf(objectOf(body, 'results').results, 'results')
  if (results.length !== requests.length) throw malformed(`${requests.length} results`)
  return requests.map((request, place) => {
    const result = objectOf(results[place], 'a result')
    return isWireError(result.error) ? fromWireError(result.error, request.name) : decode(result, request)
  })
}

export function acquireResultOf(result: Json, request: AcquireRequest): AcquireResult {
  if (result.granted === true) {
    const lease = leaseOf(result.lease, request)
    return typeof result.rerun === 'boolean' ? { granted: true, lease, rerun: result.rerun } : { granted: true, lease }
  }
  const storeTime = numberOf(result.storeTime, 'the time of the store')
  if (result.granted !== false || !REASONS.includes(result.reason)) throw malformed('a grant or a refusal')
  const reason = result.reason as 'held'
  if (result.record === undefined) return { granted: false, reason, storeTime }
  return { granted: false, reason, record: recordOf(result.record), storeTime }
}

export const extendResultOf = (result: Json, request: Holder): Lease | undefined =>
  booleanOf(result.extended, 'whether a lease was extended') ? leaseOf(result.lease, request) : undefined

export const releaseResultOf = (result: Json): boolean => booleanOf(result.released, 'whether a lease was released')

/** The lease of this request, and of no other: a cache or a proxy that mixes up responses must not grant anything. */
function leaseOf(value: unknown, { name, owner }: Holder): Lease {
  const lease = objectOf(value, 'a lease')
  if (lease.name !== name || lease.owner !== owner) throw malformed('the lease of this request')
  const time = (field: string): number => numberOf(lease[field], `a lease with ${field}`)
  const fencingToken = time('fencingToken')
  if (!Number.isSafeInteger(fencingToken)) throw malformed('a lease with fencingToken')
  return {
    name,
    owner,
    fencingToken,
    acquiredAt: time('acquiredAt'),
    lockUntil: time('lockUntil'),
    storeTime: time('storeTime'),
  }
}

function recordOf(value: unknown): LockRecord {
  const raw = objectOf(value, 'a record')
  return { ...checkLock(raw), storeTime: numberOf(raw.storeTime, 'a record with storeTime') }
}

/** A record as `read` returns it. */
export function readableOf(value: unknown): LockRecord | UnreadableRecord {
  const raw = objectOf(value, 'a record')
  if (!isWireError(raw.unreadable)) return recordOf(raw)
  const name = String(raw.name)
  const storeTime = numberOf(raw.storeTime, 'a record with storeTime')
  return { name, unreadable: fromWireError(raw.unreadable, name), storeTime }
}
