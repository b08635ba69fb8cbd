import type { Scheduler } from '../scheduler/scheduler.ts'
import type { View } from './view.ts'

interface Answer {
  readonly status: 200 | 202 | 400 | 404
  readonly error?: string
  readonly done?: string
}

/** How long a triggered run is waited for to tell that it was refused, in ms. */
const FIRST_WORD = 1_500

/** Does what the page is told to do, and says in words what came of it. Rejects when the store fails. */
export async function perform(view: View, action: unknown, job: unknown): Promise<Answer> {
  const scheduler = typeof job === 'string' ? view.schedulerOf(job) : undefined
  if (!scheduler || typeof job !== 'string') return { status: 404, error: 'there is no job of that name' }
  switch (action) {
    case 'trigger':
      return trigger(scheduler, job)
    case 'pause':
      return { status: 200, done: (await scheduler.pause(job)) ? 'paused' : 'it was paused before' }
    case 'resume':
      return { status: 200, done: (await scheduler.resume(job)) ? 'resumed' : 'it was not paused' }
    case 'unlock':
      return { status: 200, done: (await scheduler.provider.forceRelease(job)) ? 'unlocked' : 'nobody had the lock' }
    default:
      return { status: 400, error: 'there is no such action' }
  }
}

/** Answers when the run has begun, or at once when it was refused: it may take hours. */
async function trigger(scheduler: Scheduler, job: string): Promise<Answer> {
  let begun = (_: Answer): void => {}
  const started = new Promise<Answer>((resolve) => {
    begun = resolve
  })
  const off = scheduler.on('started', (event) => {
    if (event.job === job && event.kind === 'trigger') begun({ status: 202, done: 'triggered: it runs' })
  })
  const timer = setTimeout(() => begun({ status: 202, done: 'triggered' }), FIRST_WORD)
  const ended = scheduler.trigger(job).then(
    (outcome): Answer => ({ status: 200, done: outcome.ran ? 'it ran' : `it does not run: ${outcome.reason}` }),
    (error: unknown): Answer => {
      if (error instanceof Error && 'code' in error && error.code === 'STORE') throw error
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
