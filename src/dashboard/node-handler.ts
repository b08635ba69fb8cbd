/* The dashboard for Node's own servers and the frameworks over them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import { nodeListener } from '../web/node-listener.ts'

/** Never rejects. */
export function nodeHandler(app: Hono): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = nodeListener(app.fetch)
  return async (request: IncomingMessage & { originalUrl?: string }, response) => {
    // The page's addresses are relative, so its path must end with a slash. Express keeps the whole path apart.
    const [path = '', query] = (request.originalUrl ?? request.url ?? '').split('?', 2)
    if ((request.url ?? '').split('?', 1)[0] !== '/' || path.endsWith('/')) return listener(request, response)
    response.writeHead(308, { location: `${path.slice(path.lastIndexOf('/') + 1)}/${query ? `?${query}` : ''}` })
    response.end()
  }
}
