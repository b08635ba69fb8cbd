/* Where the bucket comes from: the user's connection, or one of our own for a user who gives a URL. */
import { StoreError } from '../../src/errors.ts'
import type { KeyValues, NatsConnectionLike, Streams } from './driver.ts'
import type { NatsAddress } from './url.ts'

export interface OpenedBucket {
  readonly kv: KeyValues
  readonly streams: Streams
  /** Creates the bucket unless it exists. */
  create(): Promise<unknown>
  isClosed(): boolean
  close(): Promise<void>
}

/**
 * A connection that breaks is closed, and the next call makes another: nothing is buffered until a server is back. A
 * server that goes silent is left after two pings without a response.
 */
const CONNECTION = { name: 'ticklock', reconnect: false, timeout: 5_000, pingInterval: 5_000, maxPingOut: 2 } as const

export class BucketSource {
  readonly #from: NatsAddress | NatsConnectionLike
  readonly #name: string
  readonly #replicas: number
  #opened: Promise<OpenedBucket> | undefined
  #closed = false

  constructor(from: NatsAddress | NatsConnectionLike, name: string, replicas: number) {
    this.#from = from
    this.#name = name
    this.#replicas = replicas
  }

  /** Over a connection that is not known to be broken. Whether the bucket exists shows when it is used. */
  async get(): Promise<OpenedBucket> {
    if (this.#closed) throw new StoreError('the nats provider is closed')
    this.#opened ??= this.#open()
    const opening = this.#opened
    const opened = await opening.catch((error: Error) => error)
    if (!(opened instanceof Error) && !opened.isClosed()) return opened
    if (this.#opened === opening) this.#opened = undefined
    if (opened instanceof Error) throw opened
    return await this.get()
  }

  async close(): Promise<void> {
    this.#closed = true
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.close()
  }

  async #open(): Promise<OpenedBucket> {
    const { Kvm } = await load('@nats-io/kv', () => import('@nats-io/kv'))
    const own = 'servers' in this.#from ? await connectTo(this.#from) : undefined
    const kvm = new Kvm(own ?? (this.#from as ConstructorParameters<typeof Kvm>[0]))
    // Direct reads come from any server that has a copy, which may be behind.
    const leader = { allow_direct: false } as const
    return {
      kv: await kvm.open(this.#name, { ...leader }),
      streams: (await kvm.js.jetstreamManager(false)).streams,
      create: () => kvm.create(this.#name, { ...leader, history: 1, replicas: this.#replicas }),
      isClosed: () => own?.isClosed() ?? false,
      close: async () => await own?.close(),
    }
  }
}

async function connectTo(address: NatsAddress) {
  const { connect } = await load('@nats-io/transport-node', () => import('@nats-io/transport-node'))
  try {
    return await connect({ ...CONNECTION, ...address })
  } catch (cause) {
    throw new Error(`NATS at ${address.servers.join(', ')} can't be reached: ${(cause as Error).message}`, { cause })
  }
}

async function load<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const install = 'npm install @nats-io/kv @nats-io/transport-node'
    throw new StoreError(`NATS needs the package ${name}: run \`${install}\``, { cause })
  }
}
