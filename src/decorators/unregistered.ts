import type { Declaration } from './declarations.ts'

/** How long after its class was defined a job may go unregistered before that is reported, in ms. */
const REGISTER_WITHIN = 30_000

/**
 * Reports a job that nobody registered, once, as a warning of the process (`process.on('warning')`, and the console). A decorated class looks
 * as if it did something by itself, but only `registerJobs` lets it: without this, a forgotten call is a job that never runs.
 */
export function reportUnlessRegistered(declaration: Declaration): void {
  const timer = setTimeout(() => {
    if (declaration.settled) return
    declaration.settled = true
    const { options, method } = declaration
    const job = typeof options.name === 'string' ? `job ${JSON.stringify(options.name)}` : 'a job'
    process.emitWarning(
      `${job} (@Job on the method ${method}) was not registered within ${REGISTER_WITHIN / 1000} s, so it does not run here: call registerJobs(scheduler, instance), or ignoreJobs(class) if that is meant`,
      { type: 'TicklockWarning', code: 'TICKLOCK_JOB_NOT_REGISTERED' },
    )
  }, REGISTER_WITHIN)
  timer.unref()
}
