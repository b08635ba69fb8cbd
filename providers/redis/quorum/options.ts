import { show } from '../../../src/duration.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { checkKeys } from '../../../src/options.ts'
import { clientFor, givenClient } from '../client.ts'
import type { RedisClient } from '../driver.ts'
import { DEFAULT_PREFIX } from '../keys.ts'
import { checkClient } from '../options.ts'
import { parseRedisUrl } from '../url.ts'
import { Member } from './members.ts'

/** A client of `ioredis` for one server, left open by `close()`, or the `redis://` or `rediss://` URL of one. */
export type QuorumServer = RedisClient | string

export interface RedisQuorumOptions {
  /** Three, five or seven servers, none of which replicates another. A client must not have a `keyPrefix`. Every node of the cluster names the same ones. */
  readonly servers: readonly QuorumServer[]
  /**
   * What every lock key begins with.
   *
   * @default 'ticklock:'
   */
  readonly prefix?: string | undefined
  /**
   * A server that has not answered after so many ms counts as failed for this call. Only a call for which a majority is missing waits as long.
   * From 10 to 5000.
   *
   * @default 2000
   */
  readonly timeout?: number | undefined
}

const KNOWN = ['servers', 'prefix', 'timeout']
const SIZES = [3, 5, 7]

export function normalize(input: readonly QuorumServer[] | RedisQuorumOptions) {
  const options: Partial<RedisQuorumOptions> = isList(input) ? { servers: input } : { ...input }
  checkKeys(options, KNOWN, 'redisQuorum')
  const { servers, prefix = DEFAULT_PREFIX, timeout = 2_000 } = options
  if (!Array.isArray(servers) || !SIZES.includes(servers.length) || new Set(servers).size !== servers.length) {
    // Not the servers themselves: a URL may hold a password.
    const got = Array.isArray(servers) ? `${new Set(servers).size} different ones` : show(servers)
    throw new InvalidOptionError(`redisQuorum() takes a list of three, five or seven different servers, but got ${got}`)
  }
  if (!Number.isInteger(timeout) || timeout < 10 || timeout > 5_000) {
    throw new InvalidOptionError(`timeout must be a whole number of ms from 10 to 5000, but is ${show(timeout)}`)
  }
  return { members: servers.map((server: QuorumServer) => new Member(sourceOf(server))), prefix, timeout }
}

const isList = (input: readonly QuorumServer[] | RedisQuorumOptions): input is readonly QuorumServer[] =>
  Array.isArray(input)

function sourceOf(server: QuorumServer) {
  if (typeof server !== 'string') {
    checkClient(server)
    if ('nodes' in server) throw new InvalidOptionError('a server of redisQuorum() must be one Redis, not a cluster')
    return givenClient(server)
  }
  if (parseRedisUrl(server).kind !== 'single') {
    throw new InvalidOptionError("a server of redisQuorum() must be one Redis: 'redis://…' or 'rediss://…'")
  }
  return clientFor(server)
}
