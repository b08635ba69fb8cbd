import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys, checkOnlyOne } from '../../src/options.ts'
import type { RedisClient, RedisCluster } from './driver.ts'
import { DEFAULT_PREFIX, type KeySpace, keySpace, sharedKeySpace } from './keys.ts'

export interface RedisOptions {
  /**
   * ioredis' `Redis` (one server, or Sentinel) or `Cluster`, left open by `close()`. It must not have a `keyPrefix`: use `prefix`. Either this or `url`.
   */
  readonly client?: RedisClient | RedisCluster | undefined
  /**
   * `redis://…`, `rediss://…` (TLS), `redis+unix:///path/to/socket`, `redis+sentinel://[user:password@]host:port[,host:port…]/master[/db]` or
   * `redis+cluster://[user:password@]host:port[,host:port…]`. With TLS, `?ca=/path/to/ca.pem` names the authority to trust, and `?verify=none` trusts any
   * certificate. Needs the package `ioredis`. The client is made at the first call and closed by `close()`. A server that is silent for 5 s is an error.
   * Either this or `client`.
   */
  readonly url?: string | undefined
  /**
   * What the key of every record begins with; no other keys may begin so. `'{jobs}:'` keeps all locks in one slot of a cluster: one script call for a whole
   * batch, but one node for all of it.
   *
   * @default 'ticklock:'
   */
  readonly prefix?: string | undefined
  /**
   * Shares the locks with ShedLock: each is also taken by ShedLock's own key, which ShedLock's nodes respect. `true` for the keys of its environment
   * `default`, or the prefix of its keys, such as `'job-lock:production:'`. In place of `prefix`.
   *
   * @default false
   */
  readonly shedlock?: boolean | string | undefined
}

const KNOWN = ['client', 'url', 'prefix', 'shedlock']
const SHEDLOCK_PREFIX = 'job-lock:default:'

/** @throws {InvalidOptionError} for an unknown or wrong option. */
export function normalize(input: RedisClient | RedisCluster | string | RedisOptions): RedisOptions {
  if (typeof input === 'string') return { url: input }
  if (typeof input !== 'object' || input === null) {
    throw new InvalidOptionError(`redis() takes a client of ioredis, a URL or options, but got ${show(input)}`)
  }
  const options = isClient(input) ? { client: input } : input
  checkKeys(options, KNOWN, 'redis')
  checkOnlyOne(options, ['client', 'url'], 'redis')
  const { client, url } = options
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`url must be a string, but is ${show(url)}`)
  if (client !== undefined) checkClient(client)
  return options
}

/** @throws {InvalidOptionError} for a wrong option. */
export function spaceOf({ prefix, shedlock = false }: RedisOptions): KeySpace {
  if (shedlock === false) return keySpace(prefix ?? DEFAULT_PREFIX)
  if (prefix !== undefined) throw new InvalidOptionError('redis() takes either prefix or shedlock')
  return sharedKeySpace(shedlock === true ? SHEDLOCK_PREFIX : shedlock)
}

const isClient = (value: object): value is RedisClient | RedisCluster => 'evalsha' in value

/** @throws {InvalidOptionError} */
export function checkClient(client: RedisClient | RedisCluster): void {
  if (typeof client !== 'object' || client === null || typeof client.evalsha !== 'function') {
    throw new InvalidOptionError(`client must be a Redis or Cluster of ioredis, but is ${show(client)}`)
  }
  // ioredis would put it before the keys of scripts, which then lie in other cluster slots than we reckon, but not into SCAN.
  const { keyPrefix } = client.options ?? {}
  if (keyPrefix) {
    throw new InvalidOptionError(
      `client must have no keyPrefix, but has ${show(keyPrefix)}: give redis() a client without it, and prefix: ${show(keyPrefix + DEFAULT_PREFIX)}`,
    )
  }
}
