import { setDeadline, systemClock } from '../clock.ts'
import type { Action, JobPlan } from '../config/plan.ts'
import type { JobContext, JobWork } from '../scheduler/job.ts'
import { markStillRunning } from '../scheduler/tick/still-running.ts'
import { callFunction } from './call-function.ts'
import { JobFailedError } from './job-failed.ts'
import { runCommand } from './run-command.ts'
import { lockEnvironment, type RunEnvironment } from './run-environment.ts'
import { sendRequest } from './send-request.ts'

/** The function that a scheduler calls for a job of a config. Its commands do not get the variables that are `withheld` at their start. */
export function jobWork({ action, timeout }: JobPlan, withheld: ReadonlySet<string> = new Set()): JobWork {
  return async (job) => {
    const limit = new AbortController()
    const timer =
      timeout === undefined
        ? undefined
        : setDeadline(systemClock, systemClock.monotonic() + timeout, () => limit.abort(late(timeout)))
    const context = contextOf(job, AbortSignal.any([job.signal, limit.signal]), withheld)
    try {
      const result = await start(action, context, limit.signal)
      // It ended in the very moment of its timeout.
      limit.signal.throwIfAborted()
      return result
    } finally {
      timer?.cancel()
    }
  }
}

async function start(action: Action, context: RunEnvironment, limit: AbortSignal): Promise<unknown> {
  if (action.kind === 'http') return sendRequest(action, context)
  if (action.kind === 'module') return untilLate(callFunction(action, context), limit)
  return runCommand(action, context)
}

/** A function can't be ended from outside. One that has not settled by its timeout has failed, and its lock is not renewed any more. */
async function untilLate(work: Promise<unknown>, limit: AbortSignal): Promise<unknown> {
  const ended = work.catch(() => {})
  const overtime = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(markStillRunning(limit.reason as JobFailedError, ended)), {
      once: true,
    })
  })
  return Promise.race([work, overtime])
}

const late = (timeout: number): JobFailedError => new JobFailedError(`took longer than its timeout of ${timeout} ms`)

function contextOf(job: JobContext, signal: AbortSignal, withheld: ReadonlySet<string>): RunEnvironment {
  const { name, scheduledAt, firedAt, fencingToken, lock } = job
  const lockUntil = lock && new Date(Date.now() + lock.remaining)
  return {
    job,
    signal,
    logger: job.logger,
    withheld,
    environment: lockEnvironment({ name, scheduledAt, firedAt, fencingToken, lockUntil }),
  }
}
