/* An HTTP server before DynamoDB's, which may refuse a request, or change a response or lose it on its way. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { onFreePort } from '../servers/free-port.ts'

type Json = Readonly<Record<string, unknown>>

export interface Exchange {
  /** Such as `UpdateItem`. */
  readonly operation: string
  readonly input: Json
  readonly output: Json
}

interface Reply {
  readonly body: Json
  readonly status?: number
}

/** What becomes of a response: another body, none at all (the connection breaks), or a copy without its `Date`. */
export type Change = Reply | 'lost' | 'dateless' | undefined

export class DynamoForwarder {
  readonly #server: Server
  readonly #target: number
  /** Sees each operation before it is done, and may refuse it: then it is not done. */
  refuse: (operation: string) => Reply | undefined = () => undefined
  /** Sees each exchange, and says what becomes of its response. */
  change: (exchange: Exchange) => Change = () => undefined

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((incoming, response) => void this.#forward(incoming, response))
  }

  static async to(target: number): Promise<DynamoForwarder> {
    return await onFreePort(async (port) => {
      const forwarder = new DynamoForwarder(target)
      forwarder.#server.listen(port, '127.0.0.1')
      await once(forwarder.#server, 'listening')
      return forwarder
    })
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the forwarder is closed')
    return address.port
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(incoming)
    const { method, url: path, headers } = incoming
    const operation = String(headers['x-amz-target']).split('.')[1] ?? ''
    const refusal = this.refuse(operation)
    if (refusal) return void response.writeHead(refusal.status ?? 400).end(JSON.stringify(refusal.body))
    const forwarded = request({ host: '127.0.0.1', port: this.#target, method, path, headers }).end(body)
    const [reply] = (await once(forwarded, 'response')) as [IncomingMessage]
    const output = await text(reply)
    const change = this.change({ operation, input: JSON.parse(body), output: JSON.parse(output) })
    if (change === 'lost') return void incoming.socket.destroy()
    response.sendDate = change !== 'dateless'
    const changed = typeof change === 'object' ? change : undefined
    response.writeHead(changed?.status ?? reply.statusCode ?? 500, {
      'content-type': 'application/x-amz-json-1.0',
    })
    response.end(changed ? JSON.stringify(changed.body) : output)
  }
}
