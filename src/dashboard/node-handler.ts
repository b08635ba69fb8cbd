/* The dashboard for Node's own servers and the frameworks over them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'

/** A request as Express and body parsers leave it. */
interface ParsedMessage extends IncomingMessage {
  originalUrl?: string
  body?: unknown
  rawBody?: unknown
}

/** Never rejects: in Express 4 a rejection would end the process. */
export function nodeHandler(app: Hono): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return async (request: ParsedMessage, response) => {
    try {
      // The page's addresses are relative, so its path must end with a slash. Express keeps the whole path apart.
      const [path = '', query] = (request.originalUrl ?? request.url ?? '').split('?', 2)
      if ((request.url ?? '').split('?', 1)[0] === '/' && !path.endsWith('/')) {
        response.writeHead(308, { location: `${path.slice(path.lastIndexOf('/') + 1)}/${query ? `?${query}` : ''}` })
        response.end()
        return
      }
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
