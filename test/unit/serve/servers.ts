/* Servers of the HTTP API with real sockets, for the tests of this folder. */
import { onTestFinished } from 'vitest'
import { memory } from '../../../providers/memory/index.ts'
import type { LockProvider } from '../../../src/provider/contract.ts'
import { type LockServer, type ServeOptions, serve } from '../../../src/serve/index.ts'

export const TOKEN = 'correct horse battery staple'
export const HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }

export async function started(options: Partial<ServeOptions> = {}): Promise<LockServer> {
  const server = await serve({ provider: memory(), listen: 0, token: TOKEN, ...options })
  onTestFinished(() => server.close({ graceFor: 0 }))
  return server
}

export interface Sent {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server responds
  readonly body: any
  readonly headers: Headers
}

export async function post(
  { url }: Pick<LockServer, 'url'>,
  verb: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Sent> {
  const response = await fetch(`${url}v1/${verb}`, {
    method: 'POST',
    headers: HEADERS,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })
  return { status: response.status, body: await response.json(), headers: response.headers }
}

export const acquisition = (name: string, owner = 'owner-1') => ({ name, owner, lockAtMostFor: 60_000 })

/** Memory with some of its verbs in another way. */
export const changed = (verbs: Partial<LockProvider>): LockProvider => ({ ...memory(), ...verbs })
