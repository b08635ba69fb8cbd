/* What the API server of Kubernetes demands of a Lease, with its own words where clients may look at them. */

export interface Meta {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly creationTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Lease {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Meta
  readonly spec?: Readonly<Record<string, unknown>>
}

/** A response that is no success, as `metav1.Status` says it. */
export class StatusError extends Error {
  readonly status: number
  readonly reason: string
  readonly retryAfter: number | undefined

  constructor(status: number, reason: string, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)
export const notFound = (name: string): StatusError =>
  new StatusError(404, 'NotFound', `leases.coordination.k8s.io "${name}" not found`)
export const alreadyExists = (name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `leases.coordination.k8s.io "${name}" already exists`)
export const conflict = (name: string, why: string): StatusError =>
  new StatusError(409, 'Conflict', `Operation cannot be fulfilled on leases.coordination.k8s.io "${name}": ${why}`)
export const invalid = (name: string, why: string): StatusError =>
  new StatusError(422, 'Invalid', `Lease.coordination.k8s.io "${name}" is invalid: ${why}`)

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/
/** Go parses the six digits of a MicroTime to the letter. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/
const MAX_ANNOTATIONS = 256 * 1024
const INT32 = 2 ** 31 - 1

const isStrings = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string'))

/** What can't be decoded at all. */
export function checkDecodable({ apiVersion, kind, metadata, spec = {} }: Lease): void {
  if (apiVersion !== 'coordination.k8s.io/v1' || kind !== 'Lease')
    throw badRequest(`the object provided is unrecognized (must be of type Lease): ${apiVersion} ${kind}`)
  if (!isStrings(metadata?.labels) || !isStrings(metadata?.annotations))
    throw badRequest(
      'Lease in version "v1" cannot be handled as a Lease: json: cannot unmarshal into map[string]string',
    )
  for (const field of ['acquireTime', 'renewTime']) {
    const value = spec[field] ?? undefined
    if (value !== undefined && !MICRO_TIME.test(String(value)))
      throw badRequest(`Lease in version "v1" cannot be handled as a Lease: parsing time ${JSON.stringify(value)}`)
  }
  for (const field of ['leaseDurationSeconds', 'leaseTransitions']) {
    const value = spec[field] ?? 1
    if (!Number.isInteger(value) || Math.abs(value as number) > INT32)
      throw badRequest(`Lease in version "v1" cannot be handled as a Lease: ${field} is no int32: ${value}`)
  }
}

/** What an object must be like to be kept. */
export function checkValid(name: string, { metadata = {}, spec = {} }: Lease): void {
  if (name.length > 253 || !DNS_SUBDOMAIN.test(name))
    throw invalid(name, `metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of …`)
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!isQualified(key)) throw invalid(name, `metadata.labels: Invalid value: "${key}"`)
    if (value.length > 63 || !LABEL_VALUE.test(value)) throw invalid(name, `metadata.labels: Invalid value: "${value}"`)
  }
  let size = 0
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!isQualified(key.toLowerCase())) throw invalid(name, `metadata.annotations: Invalid value: "${key}"`)
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > MAX_ANNOTATIONS) throw invalid(name, 'metadata.annotations: Too long: may not be more than 262144 bytes')
  const { leaseDurationSeconds, leaseTransitions } = spec as Record<string, number | null | undefined>
  if (leaseDurationSeconds != null && leaseDurationSeconds <= 0)
    throw invalid(name, `spec.leaseDurationSeconds: Invalid value: ${leaseDurationSeconds}: must be greater than 0`)
  if (leaseTransitions != null && leaseTransitions < 0)
    throw invalid(name, `spec.leaseTransitions: Invalid value: ${leaseTransitions}: must be greater than or equal to 0`)
}

const isQualified = (key: string): boolean => QUALIFIED.test(key) && (key.split('/').at(-1) ?? '').length <= 63
