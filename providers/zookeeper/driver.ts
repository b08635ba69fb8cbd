/* The small part of the package `node-zookeeper-client` 1 that the provider uses. */

type Done<Result extends readonly unknown[] = []> = (error: Error | null, ...results: Result) => void

/** What ZooKeeper knows of a znode. */
export interface Stat {
  readonly version: number
  /** The leader's time of the last write, in ms since the epoch: 8 bytes. */
  readonly mtime: Buffer
}

/** A `Client`. */
export interface ZooKeeperClient {
  create(path: string, data: Buffer, acl: readonly unknown[] | undefined, mode: undefined, done: Done<[string]>): void
  mkdirp(
    path: string,
    data: undefined,
    acl: readonly unknown[] | undefined,
    mode: undefined,
    done: Done<[string]>,
  ): void
  exists(path: string, done: Done<[stat: Stat | null]>): void
  getData(path: string, done: Done<[data: Buffer | undefined, stat: Stat]>): void
  setData(path: string, data: Buffer, version: number, done: Done<[stat: Stat]>): void
  getChildren(path: string, done: Done<[children: string[]]>): void
  getState(): { readonly name: string }
  on(event: 'state', listener: (state: { readonly name: string }) => void): unknown
  addAuthInfo(scheme: string, auth: Buffer): void
  connect(): void
  close(): void
  /**
   * Not public, and the same in all versions: the package has no `sync`, and can't end a connection to a server that is
   * silent.
   */
  readonly connectionManager: {
    readonly socket?: { destroy(): unknown }
    queue(request: object, done: Done): void
  }
}

/** Codes of ZooKeeper's errors. */
export const NO_NODE = -101
export const BAD_VERSION = -103
export const NODE_EXISTS = -110
const CONNECTION_LOSS = -4
const SESSION_EXPIRED = -112

export const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | undefined)?.code

/** Whether the request was made is unknown. */
export const isLoss = (error: unknown): boolean => [CONNECTION_LOSS, SESSION_EXPIRED].includes(Number(codeOf(error)))

export const isClient = (value: unknown): value is ZooKeeperClient =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'getData') === 'function' &&
  typeof Reflect.get(value, 'connectionManager') === 'object'

const SYNC = 9
/** The package expects no result of these, and knows no other request of that kind. */
const DELETE = 2

/** Reads on this connection that follow see all writes which any client has completed. */
export function sync(client: ZooKeeperClient): Promise<void> {
  const header = { type: DELETE, xid: 0 }
  const path = '/'
  const toBuffer = (): Buffer => {
    const packet = Buffer.alloc(16 + path.length)
    for (const [index, field] of [12 + path.length, header.xid, SYNC, path.length].entries())
      packet.writeInt32BE(field, index * 4)
    packet.write(path, 16)
    return packet
  }
  return new Promise((resolve, reject) => {
    client.connectionManager.queue({ header, payload: null, toBuffer }, (error) => (error ? reject(error) : resolve()))
  })
}

/** As the package says that a connection was lost. */
export const lost = (): Error =>
  Object.assign(new Error('the connection to ZooKeeper was lost'), { code: CONNECTION_LOSS })
