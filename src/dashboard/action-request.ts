import type { Context } from 'hono'

export const ACTIONS = ['trigger', 'pause', 'resume', 'unlock', 'reset'] as const
export type ActionName = (typeof ACTIONS)[number]

/** What a client wants done, or what is wrong with its request. */
export type ActionRequest =
  | { readonly action: ActionName; readonly job: string }
  | { readonly error: string; readonly status: 400 | 413 }

/** More than any name and action need. */
export const MOST_BYTES = 4_096

const LIKE = 'send a JSON object such as {"action": "pause", "job": "nightly-report"}'

/** Reads the body of a request, whatever it is. */
export async function readAction(c: Context): Promise<ActionRequest> {
  let body: unknown
  try {
    body = JSON.parse(await c.req.text())
  } catch {
    return { error: `the body is not JSON: ${LIKE}`, status: 400 }
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { error: LIKE, status: 400 }
  const { action, job } = body as { action?: unknown; job?: unknown }
  if (!ACTIONS.some((known) => known === action))
    return { error: `action must be one of ${ACTIONS.join(', ')}: ${LIKE}`, status: 400 }
  if (typeof job !== 'string') return { error: `job must be the name of a job: ${LIKE}`, status: 400 }
  return { action: action as ActionName, job }
}
