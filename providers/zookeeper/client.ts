/* The client: the user's, or one of our own for a user who gives a URL. */
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import type { ZooKeeperClient } from './driver.ts'
import type { ZooKeeperAddress } from './url.ts'

/** A client, and who may use what it creates: everybody, unless it says otherwise. */
export interface Opened {
  readonly client: ZooKeeperClient
  readonly acl: readonly unknown[] | undefined
}

/** The package itself connects again after all but these. */
const ENDED: readonly string[] = ['EXPIRED', 'AUTH_FAILED']
const CONNECTED = 'SYNC_CONNECTED'

/**
 * No lock depends on it: a server that does not accept a connection within this time, divided by the number of servers,
 * is left; in ms.
 */
const SESSION_TIMEOUT = 6_000
/** The longest delay before the servers are tried again, in ms. */
const SPIN_DELAY = 200
/**
 * A client that has heard nothing for so long is replaced: the package waits for ever for what a server owes it. In ms.
 */
const SILENCE = 4_000
/** How long a session is given to end in order, in ms. */
const CLOSE_TIMEOUT = 500

export class Session {
  readonly #from: ZooKeeperAddress | Opened
  readonly #onLoss: () => void
  readonly #closing = new AbortController()
  readonly #waiting = new Set<() => void>()
  #opened: Promise<Opened> | undefined
  #heardAt = 0
  #ended = false
  /** How often a connection was lost. Reads between which this changes may come from two servers. */
  losses = 0

  /** @param onLoss is called whenever a connection is lost */
  constructor(from: ZooKeeperAddress | Opened, onLoss: () => void) {
    this.#from = from
    this.#onLoss = onLoss
  }

  /** Aborts when the provider is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** A client that is connected. Waits for it until the signal aborts. */
  async get(signal: AbortSignal): Promise<Opened> {
    for (;;) {
      this.closing.throwIfAborted()
      if (this.#ended) throw new StoreError('the session of the ZooKeeper client has ended: make another provider')
      const opening = this.#opened ?? this.#begin()
      const opened = await opening.catch((error: Error) => error)
      if (opened instanceof Error) {
        // It may succeed later (npm install).
        this.#forget(opening)
        throw opened
      }
      if (opened.client.getState().name === CONNECTED) return opened
      await this.#change(AbortSignal.any([signal, AbortSignal.timeout(SILENCE)]))
      this.closing.throwIfAborted()
      await this.silent()
      if (signal.aborted) {
        const at = 'servers' in this.#from ? ` at ${this.#from.servers}` : ''
        throw new Error(`ZooKeeper${at} can't be reached: the client is not connected`, { cause: signal.reason })
      }
    }
  }

  /** A response came. */
  heard(): void {
    this.#heardAt = performance.now()
  }

  /** A request had no response in time, or a client no connection. */
  async silent(): Promise<void> {
    const opening = this.#opened
    if (!opening || 'client' in this.#from || performance.now() - this.#heardAt < SILENCE) return
    this.#forget(opening)
    await end((await opening).client)
  }

  async close(): Promise<void> {
    this.#closing.abort(new StoreError('the zookeeper provider is closed'))
    const opened = await this.#opened?.catch(() => undefined)
    if (opened && !('client' in this.#from)) await end(opened.client)
  }

  #begin(): Promise<Opened> {
    this.heard()
    const opening: Promise<Opened> = this.#open(() => {
      if ('client' in this.#from) this.#ended = true
      else this.#forget(opening)
    })
    this.#opened = opening
    return opening
  }

  async #open(onEnd: () => void): Promise<Opened> {
    const opened = 'client' in this.#from ? this.#from : await openAt(this.#from)
    opened.client.on('state', ({ name }) => {
      this.heard()
      if (name !== CONNECTED) {
        this.losses++
        this.#onLoss()
      }
      if (ENDED.includes(name)) onEnd()
      for (const wake of [...this.#waiting]) wake()
    })
    if (!('client' in this.#from)) opened.client.connect()
    return opened
  }

  #forget(opening: Promise<Opened>): void {
    if (this.#opened === opening) this.#opened = undefined
  }

  /** Resolves when the client's state changes, or the signal aborts. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stop = (): void => {
        this.#waiting.delete(stop)
        resolve()
      }
      this.#waiting.add(stop)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
    })
  }
}

async function openAt({ servers, login }: ZooKeeperAddress): Promise<Opened> {
  const { createClient, ACL } = await load()
  const options = { sessionTimeout: SESSION_TIMEOUT, spinDelay: SPIN_DELAY, retries: 0 }
  const client = createClient(servers, options) as unknown as ZooKeeperClient
  if (login === undefined) return { client, acl: undefined }
  client.addAuthInfo('digest', Buffer.from(login))
  return { client, acl: (ACL as unknown as { CREATOR_ALL_ACL: readonly unknown[] }).CREATOR_ALL_ACL }
}

async function load() {
  try {
    return await import('node-zookeeper-client')
  } catch (cause) {
    throw new StoreError('a ZooKeeper URL needs a package: run `npm install node-zookeeper-client`', { cause })
  }
}

/** Ends the session, and the connection also when the server is silent. */
async function end(client: ZooKeeperClient): Promise<void> {
  const connected = client.getState().name === CONNECTED
  // The package makes its first socket in the turn after connect().
  await after(0)
  client.close()
  if (connected) await Promise.race([once(client as unknown as NodeJS.EventEmitter, 'state'), after(CLOSE_TIMEOUT)])
  client.connectionManager.socket?.destroy()
}
