import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys } from '../../src/options.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import { DATE_RESOLUTION, DateClock } from '../../src/provider/versioned/date-clock.ts'
import { versionedProvider } from '../../src/provider/versioned/provider.ts'
import { type Fetch, Gateway } from './client.ts'
import { EtcdStore, TIMEOUT } from './store.ts'
import { parseEtcdUrl } from './url.ts'

export interface EtcdOptions {
  /**
   * `etcd://[user:password@]host[:port][,host[:port]…]`, or `etcds://…` for TLS. The port is 2379 if none is given. One endpoint is in use at a time; after a
   * failure it is the next.
   */
  readonly url: string
  /** What every key begins with: 1 to 200 characters. @default 'ticklock/' */
  readonly prefix?: string | undefined
  /** Sends the requests, such as with a certificate of your own. @default the global `fetch` */
  readonly fetch?: Fetch | undefined
}

const OPTIONS = ['url', 'prefix', 'fetch']
const DEFAULT_PREFIX = 'ticklock/'

/**
 * Keeps locks in etcd 3.4 or later, by its JSON gateway and without a driver. Takes a URL or options. Nothing has to be set up. The clock that decides is
 * that of the endpoint in use, see docs/providers/etcd.md.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function etcd(input: string | EtcdOptions): LockProvider {
  const { url, prefix = DEFAULT_PREFIX, fetch: send = fetch } = checked(input)
  const estimate = new ClockEstimate(DATE_RESOLUTION)
  const gateway = new Gateway(parseEtcdUrl(url), send, estimate)
  const clock = new DateClock(estimate, () => gateway.sampleClock(TIMEOUT))
  return versionedProvider(new EtcdStore(gateway, clock, prefix))
}

function checked(input: string | EtcdOptions): EtcdOptions {
  const options = typeof input === 'string' ? { url: input } : input
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError(`etcd takes a URL or options, but got ${show(input)}`)
  checkKeys(options, OPTIONS, 'etcd')
  const { url, prefix, fetch } = options
  if (typeof url !== 'string') throw new InvalidOptionError(`etcd: url must be a string, but is ${show(url)}`)
  const fits = prefix === undefined || (typeof prefix === 'string' && prefix.length > 0 && prefix.length <= 200)
  if (!fits || (prefix !== undefined && /\p{Surrogate}/u.test(prefix)))
    throw new InvalidOptionError(`etcd: prefix must be a string of 1 to 200 characters, but is ${show(prefix)}`)
  if (fetch !== undefined && typeof fetch !== 'function')
    throw new InvalidOptionError(`etcd: fetch must be a function, but is ${show(fetch)}`)
  return options
}
