import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { readMessage, writeReply } from './mongo-message.ts'
import { MongoSession } from './mongo-session.ts'

/**
 * Speaks MongoDB's wire protocol in front of DocumentDB, so that the official driver can talk to it. For tests: no
 * authentication, no TLS, no change streams, transactions within one connection, and results of at most one page (16 MB).
 */
export class MongoWireServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(postgresUrl: string) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      serve(socket, new MongoSession(postgresUrl))
    })
  }

  static async listen(port: number, postgresUrl: string): Promise<MongoWireServer> {
    const wire = new MongoWireServer(postgresUrl)
    wire.#server.listen(port, '127.0.0.1')
    await once(wire.#server, 'listening')
    return wire
  }

  /** Breaks all connections. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** Answers one message after the other, in order. A failure that has no answer breaks the connection, as MongoDB does. */
async function serve(socket: Socket, session: MongoSession): Promise<void> {
  socket.setNoDelay(true)
  socket.on('error', () => {}) // 'close' follows, and ends the loop.
  try {
    for await (const message of messages(socket)) {
      const command = readMessage(message)
      const reply = await session.answer(command)
      if (!command.silent) socket.write(writeReply(command, reply))
    }
  } catch {
    // The driver sees a broken connection.
  } finally {
    socket.destroy()
    await session.close().catch(() => {})
  }
}

/** Cuts the stream into whole messages: each begins with its length. */
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let pending = Buffer.alloc(0)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
      const length = pending.readInt32LE(0)
      yield pending.subarray(0, length)
      pending = pending.subarray(length)
    }
  }
}
