/* The stream of events to those who look. */
import type { Context } from 'hono'
import type { Live } from './live.ts'

export interface StreamLimits {
  /** The most streams at a time. */
  readonly streams: number
  /** A client that is this many messages behind is cut off. It connects again and loads everything anew. */
  readonly behind: number
  /** How often an idle stream carries a comment, in ms: a proxy or a dead client would go unnoticed. */
  readonly heartbeatEvery: number
  /** A stream ends after this many heartbeats, and the page opens another: a proxy may keep one open for a client that is gone. */
  readonly heartbeats: number
}

export const STREAM_LIMITS: StreamLimits = { streams: 40, behind: 20, heartbeatEvery: 10_000, heartbeats: 90 }

const HEADERS = {
  'content-type': 'text/event-stream',
  // Some proxies buffer what they forward.
  'x-accel-buffering': 'no',
}

/** Where Node's own server runs this, the response to cut off. */
interface NodeBindings {
  readonly outgoing?: { destroy(): void }
}

/** Serves the streams of one dashboard. */
export function eventStreams(live: Live, limits: StreamLimits = STREAM_LIMITS): (c: Context) => Response {
  let open = 0
  return (c) => {
    if (open >= limits.streams) {
      c.header('retry-after', '5')
      return c.json({ error: `${open} pages follow already: this one refreshes less often` }, 503)
    }
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
    // A HEAD request has no body that could end the stream.
    if (c.req.method === 'HEAD') return c.body(null)
    open++
    return c.body(stream(live, limits, () => open--, (c.env as NodeBindings | undefined)?.outgoing))
  }
}

function stream(
  live: Live,
  limits: StreamLimits,
  onEnd: () => void,
  outgoing: NodeBindings['outgoing'],
): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder()
  let end = (): void => {}
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let heartbeats = 0
        const send = (message: string): void => {
          controller.enqueue(bytes.encode(message))
          if ((controller.desiredSize ?? 0) > 0) return
          end()
          controller.error(new Error('the client is too far behind'))
          outgoing?.destroy()
        }
        const timer = setInterval(() => {
          if (++heartbeats < limits.heartbeats) return send(': still here\n\n')
          end()
          controller.close()
        }, limits.heartbeatEvery)
        timer.unref()
        const off = live.listen({
          update: (json) => send(`event: update\ndata: ${json}\n\n`),
          close: () => {
            end()
            controller.close()
          },
        })
        end = () => {
          end = () => {}
          clearInterval(timer)
          off()
          onEnd()
        }
      },
      cancel: () => end(),
    },
    { highWaterMark: limits.behind, size: () => 1 },
  )
}
