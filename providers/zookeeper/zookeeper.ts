import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import { versionedProvider } from '../../src/provider/versioned/provider.ts'
import { Session } from './client.ts'
import { isClient, type ZooKeeperClient } from './driver.ts'
import { ZooKeeperStore } from './store.ts'
import { parseZooKeeperUrl } from './url.ts'

/** Where the locks are: exactly one of `url` and `client`. */
export interface ZooKeeperOptions {
  /**
   * `zookeeper://[user:password@]host[:port][,host[:port]…]`. The port is 2181 if none is given. With a user, what the
   * provider creates is for that user alone. The provider connects at the first use, and `close()` ends the session.
   * Needs the package `node-zookeeper-client`.
   */
  readonly url?: string | undefined
  /** Your own `Client` of the package `node-zookeeper-client`, connected. The provider never closes it. */
  readonly client?: ZooKeeperClient | undefined
  /** With `client`: who may use what the provider creates, as the package's `ACL`s. @default everybody */
  readonly acl?: readonly unknown[] | undefined
  /** The znode below which the locks are. `setup()` creates it. @default '/ticklock' */
  readonly root?: string | undefined
}

const OPTIONS: readonly string[] = ['url', 'client', 'acl', 'root'] satisfies (keyof ZooKeeperOptions)[]
const DEFAULT_ROOT = '/ticklock'
/** Of ZooKeeper's clock, in ms. */
const RESOLUTION = 1

/**
 * Keeps locks in ZooKeeper 3.5 or later, each in a persistent znode. Takes a URL, a client or options. `setup()`
 * creates the znode above them. The clock that decides is the leader's, see docs/providers/zookeeper.md.
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option. Nothing is connected yet.
 */
export function zookeeper(input: string | ZooKeeperClient | ZooKeeperOptions): LockProvider {
  const { url, client, acl, root = DEFAULT_ROOT } = checked(asOptions(input))
  const clock = new ClockEstimate(RESOLUTION)
  // Another server may follow another leader, whose clock is another.
  const session = new Session(client ? { client, acl } : parseZooKeeperUrl(url as string), () => clock.forget())
  return versionedProvider(new ZooKeeperStore(session, clock, root))
}

function asOptions(input: string | ZooKeeperClient | ZooKeeperOptions): ZooKeeperOptions {
  if (typeof input === 'string') return { url: input }
  if (isClient(input)) return { client: input }
  if (typeof input === 'object' && input !== null) return input
  throw new InvalidOptionError(`zookeeper takes a URL, a client or options, but got ${show(input)}`)
}

function checked(options: ZooKeeperOptions): ZooKeeperOptions {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    throw new InvalidOptionError(`zookeeper: unknown option ${show(unknown)}; the options are ${OPTIONS.join(', ')}`)
  const { url, client, acl, root } = options
  if ((url === undefined) === (client === undefined))
    throw new InvalidOptionError('zookeeper: give exactly one of url and client')
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`zookeeper: url must be a string, but is ${show(url)}`)
  if (client !== undefined && !isClient(client))
    throw new InvalidOptionError(
      `zookeeper: client must be a Client of the package node-zookeeper-client, but is ${show(client)}`,
    )
  if (acl !== undefined && !(client && Array.isArray(acl) && acl.length > 0))
    throw new InvalidOptionError(
      `zookeeper: acl must be a list of the package's ACLs and needs client, but is ${show(acl)}`,
    )
  if (root !== undefined && !(typeof root === 'string' && /^(\/(?!\.{1,2}(\/|$))[\w.-]+)+$/.test(root)))
    throw new InvalidOptionError(
      `zookeeper: root must be the path of a znode such as '/app/locks', of letters, digits, '.', '-' and '_', but is ${show(root)}`,
    )
  return options
}
