import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpAction } from '../config/plan.ts'
import { JobFailedError } from './job-failed.ts'
import type { RunEnvironment } from './run-environment.ts'

/** How much of an unexpected response the error shows, in UTF-16 units. */
const SHOWN = 200
/** How much of any response is read, in bytes, and for how long, in ms. Then its connection is closed. */
const READ_BYTES = 4_096
const READ_FOR = 1_000
const MOST_REDIRECTS = 10

/**
 * Sends the request of a job. The lock goes along in its headers, for a receiver that keeps the highest fencing token.
 * @throws {JobFailedError}
 */
export async function sendRequest(action: HttpAction, { job, signal, logger }: RunEnvironment): Promise<void> {
  const headers = new Headers({ ...action.headers })
  const own: Record<string, string> = {
    'ticklock-job': encodeURIComponent(job.name),
    'ticklock-scheduled-at': job.scheduledAt.toISOString(),
    ...(job.fencingToken !== undefined && { 'ticklock-fencing-token': String(job.fencingToken) }),
  }
  for (const [name, value] of Object.entries(own)) if (!headers.has(name)) headers.set(name, value)
  const over = new AbortController()
  try {
    const response = await follow(action, headers, AbortSignal.any([signal, over.signal]))
    const { status } = response
    logger.debug({ status }, `${action.method} answered ${status}`)
    const text = await beginningOf(response)
    signal.throwIfAborted()
    if (isExpected(action, status)) return
    const shown = text.trim().replace(/\s+/g, ' ').slice(0, SHOWN)
    throw new JobFailedError(`was answered with status ${status}${shown && `: ${shown}`}`)
  } finally {
    // Closes the connection of a response that was not read to its end.
    over.abort()
  }
}

const isExpected = ({ expectStatus }: HttpAction, status: number): boolean =>
  expectStatus.some(([from, to]) => status >= from && status <= to)

/** Sends the request, and follows redirects within its origin: another origin must not get its headers and its body. */
async function follow(action: HttpAction, headers: Headers, signal: AbortSignal): Promise<Response> {
  let request = { url: action.url, method: action.method, body: action.body ?? null }
  for (let redirects = 0; ; redirects++) {
    const response = await send(request.url, { ...request, headers, signal, redirect: 'manual' })
    const { status } = response
    const location = response.headers.get('location')
    if (isExpected(action, status) || location === null || ![301, 302, 303, 307, 308].includes(status)) return response
    if (!URL.canParse(location, request.url))
      throw new JobFailedError(`was answered with status ${status} and a redirect to no URL`)
    const target = new URL(location, request.url)
    const { origin } = new URL(request.url)
    if (target.origin !== origin)
      throw new JobFailedError(
        `was redirected from ${origin} to ${target.origin}, which would get its headers and body: if that is right, set the URL to where it leads`,
      )
    if (redirects === MOST_REDIRECTS) throw new JobFailedError(`was redirected more than ${MOST_REDIRECTS} times`)
    await beginningOf(response)
    request = { ...request, url: target.href }
    // As browsers do: only 307 and 308 repeat a POST.
    if (status === 303 ? action.method !== 'HEAD' : status < 303 && action.method === 'POST') {
      request = { ...request, method: 'GET', body: null }
      headers.delete('content-type')
    }
  }
}

async function send(url: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal.aborted) throw init.signal.reason
    const cause = (error as { cause?: { code?: string; message?: string } }).cause
    const { host } = new URL(url)
    throw new JobFailedError(`could not reach ${host}: ${cause?.message || cause?.code || String(error)}`, undefined, {
      cause: error,
    })
  }
}

/** The first few KB of a response, whatever its server goes on to send. A body that ends within that leaves its connection to the next request. */
async function beginningOf({ body }: Response): Promise<string> {
  if (!body) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const given = new AbortController()
  const timeUp = sleep(READ_FOR, undefined, { signal: given.signal, ref: false }).catch(() => {})
  try {
    for (let bytes = 0; bytes < READ_BYTES; ) {
      const read = await Promise.race([reader.read(), timeUp])
      if (!read?.value) break
      bytes += read.value.length
      text += decoder.decode(read.value, { stream: true })
    }
  } catch {
    // It broke off, or the run was ended: what was read so far has to do.
  }
  given.abort()
  return text
}
