import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { onFreePort } from '../servers/free-port.ts'

/** What becomes of what is sent through. Each way has its own, so that a partition can be one-sided. */
export type Way =
  | 'open'
  /** Kept, and handed on when the way is open again, as a network does that loses packets for a while. */
  | 'held'
  /** Gone for good: this connection never carries anything that way again, though nobody closes it. */
  | 'lost'

/** A TCP proxy between one node and one server. */
export class TcpProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  #target: number
  #closed = false
  #toServer: Way = 'open'
  #toNode: Way = 'open'
  #delay = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((socket) => this.#accept(socket))
  }

  static async to(target: number): Promise<TcpProxy> {
    return await onFreePort(async (port) => {
      const proxy = new TcpProxy(target)
      proxy.#server.listen(port, '127.0.0.1')
      await once(proxy.#server, 'listening')
      return proxy
    })
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the proxy is closed')
    return address.port
  }

  /** Breaks all connections with a reset, and those that come while it stays `refusing`. */
  cut(refusing: boolean): void {
    this.#closed = refusing
    for (const link of this.#links) link.reset()
  }

  /** Where new connections lead from now on, as when a service's address moves; those that there are stay where they are. */
  redirect(target: number): void {
    this.#target = target
    this.#closed = false
  }

  /** Refuses new connections until the next {@link redirect}; those that there are stay. */
  refuse(): void {
    this.#closed = true
  }

  set(toServer: Way, toNode: Way): void {
    this.#toServer = toServer
    this.#toNode = toNode
    for (const link of this.#links) link.set(toServer, toNode)
  }

  /** Keeps back what the server answers on the connections that there are now, until the way is set open; new ones are not concerned. */
  holdPresent(): void {
    for (const link of this.#links) link.set('open', 'held')
  }

  /** Everything takes so many ms longer, each way. */
  delay(ms: number): void {
    this.#delay = ms
    for (const link of this.#links) link.delay(ms)
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut(true)
    await closed
  }

  #accept(node: Socket): void {
    if (this.#closed) return void node.resetAndDestroy()
    const server = connect(this.#target, '127.0.0.1')
    const link = new Link(node, server)
    link.set(this.#toServer, this.#toNode)
    link.delay(this.#delay)
    this.#links.add(link)
    // After a loss one side may know nothing of the other's end.
    for (const socket of [node, server]) {
      socket.once('close', () => node.closed && server.closed && this.#links.delete(link))
    }
  }
}

/** One connection through the proxy. */
class Link {
  readonly #node: Socket
  readonly #server: Socket
  readonly #toServer: Pipe
  readonly #toNode: Pipe

  constructor(node: Socket, server: Socket) {
    this.#node = node
    this.#server = server
    this.#toServer = new Pipe(node, server)
    this.#toNode = new Pipe(server, node)
  }

  set(toServer: Way, toNode: Way): void {
    this.#toServer.set(toServer)
    this.#toNode.set(toNode)
  }

  delay(ms: number): void {
    this.#toServer.delay = ms
    this.#toNode.delay = ms
  }

  reset(): void {
    this.#node.resetAndDestroy()
    this.#server.resetAndDestroy()
  }
}

/** One way of a connection. An end, too, is something that is sent. */
class Pipe {
  delay = 0
  readonly #kept: (() => void)[] = []
  #way: Way = 'open'
  #lastAt = 0

  constructor(from: Socket, to: Socket) {
    from.setNoDelay(true)
    from.on('error', () => {}) // 'close' follows.
    from.on('data', (bytes) => this.#send(() => to.writable && to.write(bytes)))
    from.once('close', () => this.#send(() => to.destroy()))
  }

  set(way: Way): void {
    // What was lost once leaves a hole, which no later bytes may close.
    if (this.#way === 'lost') return
    this.#way = way
    if (way === 'open') for (const send of this.#kept.splice(0)) send()
  }

  #send(send: () => void): void {
    // In order, also when the delay gets shorter.
    const at = Math.max(performance.now() + this.delay, this.#lastAt)
    this.#lastAt = at
    const wait = at - performance.now()
    if (wait > 0.5) setTimeout(() => this.#arrive(send), wait)
    else this.#arrive(send)
  }

  #arrive(send: () => void): void {
    if (this.#way === 'open') send()
    else if (this.#way === 'held') this.#kept.push(send)
  }
}
