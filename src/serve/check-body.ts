/* The body of a call, checked: malformed requests of a batch fail alone. */
import type { z } from 'zod'
import { LONGEST_TIMEOUT, MOST_REQUESTS, type WireError } from '../provider/wire.ts'
import type { Verb } from './verbs.ts'

/** The time that the store has when the caller names none, in ms. */
const DEFAULT_TIMEOUT = 10_000

export interface CheckedBody {
  /** What the verb's `run` takes. */
  readonly body: unknown
  /** In ms. */
  readonly timeout: number
  /** Of a batch: the errors of malformed requests by their place. */
  readonly wrong: ReadonlyMap<number, WireError>
}

/** The checked body, or what is wrong with it. */
export function checkBody({ request, item }: Verb, value: unknown): CheckedBody | string {
  if (!item) {
    const { success, data, error } = request.safeParse(value)
    return success ? { body: data, timeout: LONGEST_TIMEOUT, wrong: new Map() } : describe(error)
  }
  const { requests, timeout = DEFAULT_TIMEOUT, ...more } = (isObject(value) ? value : {}) as Record<string, unknown>
  const unknown = Object.keys(more)[0]
  if (unknown !== undefined) return `unknown field ${JSON.stringify(unknown)}; the fields are requests and timeout`
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > MOST_REQUESTS)
    return `requests must be an array of 1 to ${MOST_REQUESTS} requests`
  if (typeof timeout !== 'number' || !(timeout >= 1)) return 'timeout must be a number of milliseconds from 1'
  const wrong = new Map<number, WireError>()
  const body: unknown[] = []
  for (const [place, each] of requests.entries()) {
    const { success, data, error } = item.safeParse(each)
    if (success) body.push(data)
    else wrong.set(place, { code: 'INVALID_REQUEST', message: describe(error) })
  }
  return { body, timeout: Math.min(timeout, LONGEST_TIMEOUT), wrong }
}

/** Puts the errors of malformed requests in their places among the results of the others. */
export function withErrors(results: readonly object[], wrong: ReadonlyMap<number, WireError>): object[] {
  const all = [...results]
  for (const [place, error] of [...wrong].sort(([a], [b]) => a - b)) all.splice(place, 0, { error })
  return all
}

function describe({ issues }: z.ZodError): string {
  const [first] = issues
  if (!first) return 'the request is malformed'
  const where = first.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return `${where.replace(/^\./, '') || 'the body'}: ${first.message}`
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
