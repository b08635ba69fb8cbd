import { setDeadline, systemClock } from '../../clock.ts'
import type { JobContext, JobWork } from '../../scheduler/job.ts'
import type { JobPlan } from '../plan.ts'
import { callFunction } from './call-function.ts'
import { JobFailed } from './job-failed.ts'
import { runCommand } from './run-command.ts'
import { lockEnvironment, type RunContext } from './run-context.ts'
import { sendRequest } from './send-request.ts'

/** The function that a scheduler calls for a job of a config. */
export function workOf({ way, timeout }: JobPlan): JobWork {
  return async (job) => {
    const limit = new AbortController()
    const timer =
      timeout === undefined
        ? undefined
        : setDeadline(systemClock, systemClock.monotonic() + timeout, () => limit.abort(late(timeout)))
    const context = contextOf(job, AbortSignal.any([job.signal, limit.signal]))
    try {
      if (way.kind === 'http') return await sendRequest(way, context)
      if (way.kind === 'module') return await callFunction(way, context)
      return await runCommand(way, context)
    } finally {
      timer?.cancel()
      // A function that ignored its signal is late all the same.
      limit.signal.throwIfAborted()
    }
  }
}

const late = (timeout: number): JobFailed => new JobFailed(`took longer than its timeout of ${timeout} ms`)

function contextOf(job: JobContext, signal: AbortSignal): RunContext {
  const { name, scheduledAt, firedAt, fencingToken, lock } = job
  const lockUntil = lock && new Date(Date.now() + lock.remaining)
  return {
    job,
    signal,
    logger: job.logger,
    environment: lockEnvironment({ name, scheduledAt, firedAt, fencingToken, lockUntil }),
  }
}
