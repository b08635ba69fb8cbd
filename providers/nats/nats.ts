import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { versionedProvider } from '../../src/provider/versioned/provider.ts'
import { BucketSource } from './client.ts'
import { isConnection, type NatsConnectionLike } from './driver.ts'
import { NatsStore } from './store.ts'
import { parseNatsUrl } from './url.ts'

export type { NatsConnectionLike }

/** Where the bucket is: exactly one of `url` and `connection`. */
export interface NatsOptions {
  /**
   * `nats://[user:password@|token@]host[:port][,host[:port]…]`, or `nats+tls://…` for TLS. The port is 4222 if none is
   * given. The provider connects at the first use, and `close()` ends the connection. Needs the package
   * `@nats-io/transport-node`.
   */
  readonly url?: string | undefined
  /** Your own `NatsConnection` or `JetStreamClient` of the packages `@nats-io/…` 3. The provider never closes it. */
  readonly connection?: NatsConnectionLike | undefined
  /** The key-value bucket: 1 to 200 letters, digits, `-` and `_`. @default 'ticklock' */
  readonly bucket?: string | undefined
  /** How many servers keep the bucket, if `setup()` creates it: 1 to 5. @default 1 */
  readonly replicas?: number | undefined
}

const OPTIONS: readonly string[] = ['url', 'connection', 'bucket', 'replicas'] satisfies (keyof NatsOptions)[]
const DEFAULT_BUCKET = 'ticklock'

/**
 * Keeps locks in a key-value bucket of NATS 2.10 or later, with JetStream. Takes a URL, a connection or options.
 * `setup()` creates the bucket. The clock that decides is that of the server which leads the bucket, see
 * docs/providers/nats.md.
 *
 * @throws {InvalidOptionError} for an unknown, wrong or contradicting option. Nothing is connected yet.
 */
export function nats(input: string | NatsConnectionLike | NatsOptions): LockProvider {
  const { url, connection, bucket = DEFAULT_BUCKET, replicas = 1 } = checked(asOptions(input))
  return versionedProvider(
    new NatsStore(new BucketSource(connection ?? parseNatsUrl(url as string), bucket, replicas), bucket),
  )
}

function asOptions(input: string | NatsConnectionLike | NatsOptions): NatsOptions {
  if (typeof input === 'string') return { url: input }
  if (isConnection(input)) return { connection: input }
  if (typeof input === 'object' && input !== null) return input
  throw new InvalidOptionError(`nats takes a URL, a connection or options, but got ${show(input)}`)
}

function checked(options: NatsOptions): NatsOptions {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    throw new InvalidOptionError(`nats: unknown option ${show(unknown)}; the options are ${OPTIONS.join(', ')}`)
  const { url, connection, bucket, replicas } = options
  if ((url === undefined) === (connection === undefined))
    throw new InvalidOptionError('nats: give exactly one of url and connection')
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`nats: url must be a string, but is ${show(url)}`)
  if (connection !== undefined && !isConnection(connection))
    throw new InvalidOptionError(
      `nats: connection must be a NatsConnection or a JetStreamClient of @nats-io, but is ${show(connection)}`,
    )
  if (bucket !== undefined && !(typeof bucket === 'string' && /^[-\w]{1,200}$/.test(bucket)))
    throw new InvalidOptionError(
      `nats: bucket must be a name of 1 to 200 letters, digits, - and _, but is ${show(bucket)}`,
    )
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 1 && replicas <= 5))
    throw new InvalidOptionError(`nats: replicas must be a whole number from 1 to 5, but is ${show(replicas)}`)
  return options
}
