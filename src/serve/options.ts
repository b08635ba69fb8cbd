import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { checkKeys, checkMethods } from '../options.ts'
import type { LockProvider } from '../provider/contract.ts'
import { checkToken } from '../web/token.ts'

/** What is measured of a server: `serverMetrics()` of `ticklock/prometheus`, or your own. */
export interface ServerMetrics {
  /** What `/metrics` responds with. */
  readonly register: { metrics(): Promise<string>; readonly contentType: string }
  /** A call has ended: its verb, the status of the response, and how long it took. */
  call(verb: string, status: number, seconds: number): void
  /** Acquisitions by their results: `granted`, the reason of a refusal, or `error`. */
  acquired(result: string, count: number): void
  /** How many calls are under way. */
  underWay(count: number): void
}

export interface LockApiOptions {
  /** Where the locks are kept. Not closed by the server. */
  readonly provider: LockProvider
  /**
   * Whoever knows it may obtain, release and force-release every lock. 16 to 1,024 printable ASCII characters without a space at either end. Sent
   * in the header `authorization: Bearer …`. @default none: every process that reaches the server may
   */
  readonly token?: string | undefined
  /** @default none */
  readonly metrics?: ServerMetrics | undefined
  /** Logs failures of the store. @default none */
  readonly logger?: Logger | undefined
  /** The most calls under way. One more is refused with status 503, and clients retry. 1 to 10,000. @default 200 */
  readonly mostCalls?: number | undefined
}

export interface CheckedApiOptions {
  readonly provider: LockProvider
  readonly token: string | undefined
  readonly metrics: ServerMetrics | undefined
  readonly logger: Logger | undefined
  readonly mostCalls: number
}

export const API_OPTIONS = ['provider', 'token', 'metrics', 'logger', 'mostCalls']
const OF = 'serve'

/** @throws {InvalidOptionError} that names the option; the token is never shown. */
export function checkApiOptions(options: LockApiOptions): CheckedApiOptions {
  checkKeys(options, API_OPTIONS, OF)
  const { provider, token, metrics, logger, mostCalls } = options
  checkMethods(provider, ['acquire', 'extend', 'release', 'read'], OF, 'provider')
  if (token !== undefined) checkToken(token, OF)
  return { provider, token, metrics, logger, mostCalls: checkCount(mostCalls, 200, 'mostCalls') }
}

export function checkCount(value: unknown, byDefault: number, option: string): number {
  if (value === undefined) return byDefault
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000) return value
  throw new InvalidOptionError(`${OF}: ${option} must be a whole number from 1 to 10000, but is ${show(value)}`)
}
