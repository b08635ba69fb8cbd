import { isStoreError } from '../errors.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { ActionName } from './action-request.ts'
import type { View } from './view.ts'

interface ActionResult {
  readonly status: 200 | 202 | 404
  readonly error?: string
  readonly done?: string
}

/** A triggered run that was neither refused nor started within this many ms is reported as triggered. */
const TRIGGER_TIMEOUT = 1_500

/** Carries out what a user of the page wants, and says what came of it. Rejects when the store fails. */
export async function perform(view: View, action: ActionName, job: string): Promise<ActionResult> {
  const scheduler = view.schedulerOf(job)
  if (!scheduler) return { status: 404, error: 'there is no job of that name' }
  const result = await carryOut(scheduler, action, job)
  await view.touch(job).catch(() => {})
  return result
}

async function carryOut(scheduler: Scheduler, action: ActionName, job: string): Promise<ActionResult> {
  switch (action) {
    case 'trigger':
      return trigger(scheduler, job)
    case 'pause':
      return { status: 200, done: (await scheduler.pause(job)) ? 'paused' : 'it was paused before' }
    case 'resume':
      return { status: 200, done: (await scheduler.resume(job)) ? 'resumed' : 'it was not paused' }
    case 'unlock': {
      const freed = await scheduler.forceRelease(job)
      return { status: 200, done: freed ? 'unlocked' : 'nobody had the lock' }
    }
    case 'reset': {
      const repaired = await scheduler.reset(job)
      return { status: 200, done: repaired ? 'the record is repaired' : 'there was nothing to repair' }
    }
  }
}

/** Resolves when the run has begun, or at once when it was refused: it may take hours. */
async function trigger(scheduler: Scheduler, job: string): Promise<ActionResult> {
  let begun = (_: ActionResult): void => {}
  const started = new Promise<ActionResult>((resolve) => {
    begun = resolve
  })
  const off = scheduler.on('started', (event) => {
    if (event.job === job && event.kind === 'trigger') begun({ status: 202, done: 'triggered: it runs' })
  })
  const timer = setTimeout(() => begun({ status: 202, done: 'triggered' }), TRIGGER_TIMEOUT)
  const ended = scheduler.trigger(job).then(
    (outcome): ActionResult => ({ status: 200, done: outcome.ran ? 'it ran' : `it does not run: ${outcome.reason}` }),
    (error: unknown): ActionResult => {
      if (isStoreError(error)) throw error
      return { status: 200, done: 'it ran, and failed' }
    },
  )
  try {
    return await Promise.race([started, ended])
  } finally {
    off()
    clearTimeout(timer)
    ended.catch(() => {})
  }
}
