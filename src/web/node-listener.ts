/* A handler of fetch kind for Node's own servers and the frameworks over them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'

/** A request as Express and body parsers leave it. */
interface ParsedMessage extends IncomingMessage {
  body?: unknown
  rawBody?: unknown
}

/** Never rejects: in Express 4 a rejection would end the process. */
export function nodeListener(
  fetch: (request: Request) => Response | Promise<Response>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false })
  return async (request: ParsedMessage, response) => {
    try {
      restoreBody(request)
      await listener(request, response)
    } catch {
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    }
  }
}

/** A body parser that stands before the handler, such as `express.json()`, has read the stream and left its result in `body`. */
function restoreBody(request: ParsedMessage): void {
  if (!request.readableDidRead || Buffer.isBuffer(request.rawBody)) return
  const { body } = request
  if (Buffer.isBuffer(body)) request.rawBody = body
  else request.rawBody = Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
