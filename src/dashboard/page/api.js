/* Requests to the server. The token stays in this tab's session, and travels in a header only. */

const KEY = 'ticklock-token'
let token = sessionStorage.getItem(KEY) ?? undefined

export const hasToken = () => token !== undefined

export function setToken(given) {
  token = given || undefined
  if (token) sessionStorage.setItem(KEY, token)
  else sessionStorage.removeItem(KEY)
}

const headers = () => ({ 'x-ticklock': 'page', ...(token && { authorization: `Bearer ${token}` }) })

export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function resultOf(response) {
  const body = await response.json().catch(() => ({}))
  if (!response.ok) throw new Refused(response.status, body.error ?? `the server answered ${response.status}`)
  return body
}

export const get = async (path) => resultOf(await fetch(path, { headers: headers() }))

export const act = async (action, job) =>
  resultOf(
    await fetch('api/act', {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json' },
      body: JSON.stringify({ action, job }),
    }),
  )

/**
 * Follows the server's events for ever. `onUp`: the stream has begun, again perhaps, and updates may have been missed. `onDown`: it is broken, with the error. A
 * stream that the server ends begins again at once.
 */
export async function follow({ onUpdate, onUp, onDown }) {
  for (let pause = 500; ; ) {
    try {
      const response = await fetch('api/events', { headers: { ...headers(), accept: 'text/event-stream' } })
      if (!response.ok) await resultOf(response)
      pause = 500
      onUp()
      await read(response.body.pipeThrough(new TextDecoderStream()).getReader(), onUpdate)
    } catch (error) {
      onDown(error)
      pause = Math.min(pause * 2, 10_000)
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

async function read(reader, onUpdate) {
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const events = (rest + value).split('\n\n')
    rest = events.pop()
    for (const event of events) {
      const data = event
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
      if (data.length > 0) onUpdate(JSON.parse(data.join('\n')))
    }
  }
}
