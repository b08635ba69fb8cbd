/* What the page asks the server, and what it is told. The token stays in this tab's session, and goes out in a header alone. */

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

async function answered(response) {
  const body = await response.json().catch(() => ({}))
  if (!response.ok) throw new Refused(response.status, body.error ?? `the server answered ${response.status}`)
  return body
}

export const get = async (path) => answered(await fetch(path, { headers: headers() }))

export const act = async (action, job) =>
  answered(
    await fetch('api/act', {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json' },
      body: JSON.stringify({ action, job }),
    }),
  )

/** Listens to the server's events for ever; `onDown` is told when they end, and they are asked for again. */
export async function listen(onUpdate, onUp, onDown) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
    try {
      const response = await fetch('api/events', { headers: { ...headers(), accept: 'text/event-stream' } })
      if (!response.ok) throw new Refused(response.status, 'no events')
      pause = 500
      onUp()
      await read(response.body.pipeThrough(new TextDecoderStream()).getReader(), onUpdate)
    } catch (error) {
      onDown(error)
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
