import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpWay } from '../plan.ts'
import { JobFailed } from './job-failed.ts'
import type { RunContext } from './run-context.ts'

/** How much of an answer that was not expected is shown. */
const SHOWN = 200
const READ_FOR = 1_000

/** Sends the request of a job. The lock goes along in its headers, for a receiver that keeps the highest fencing token. @throws {JobFailed} */
export async function sendRequest(way: HttpWay, { job, signal, logger }: RunContext): Promise<void> {
  const headers = new Headers({ ...way.headers })
  const own: Record<string, string> = {
    'ticklock-job': encodeURIComponent(job.name),
    'ticklock-scheduled-at': job.scheduledAt.toISOString(),
    ...(job.fencingToken !== undefined && { 'ticklock-fencing-token': String(job.fencingToken) }),
  }
  for (const [name, value] of Object.entries(own)) if (!headers.has(name)) headers.set(name, value)
  const response = await send(way, headers, signal)
  const { status } = response
  logger.debug({ status }, `${way.method} answered ${status}`)
  if (way.expectStatus.some(([from, to]) => status >= from && status <= to)) {
    await response.body?.cancel()
    return
  }
  const text = await Promise.race([response.text().catch(() => ''), sleep(READ_FOR, '', { ref: false })])
  const shown = text.trim().replace(/\s+/g, ' ').slice(0, SHOWN)
  throw new JobFailed(`was answered with status ${status}${shown && `: ${shown}`}`)
}

async function send(way: HttpWay, headers: Headers, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(way.url, { method: way.method, headers, body: way.body ?? null, signal })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const cause = (error as { cause?: { code?: string; message?: string } }).cause
    const { host } = new URL(way.url)
    throw new JobFailed(`could not reach ${host}: ${cause?.message || cause?.code || String(error)}`, undefined, {
      cause: error,
    })
  }
}
