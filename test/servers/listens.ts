import { once } from 'node:events'
import { connect } from 'node:net'

/** Throws while nobody listens on the port of 127.0.0.1. */
export async function listens(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect').finally(() => socket.destroy())
}
