import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { JobWork } from '../scheduler/job.ts'
import type { JobOptions } from '../scheduler/job-options.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { jobsOf, nameOf } from './declarations.ts'

/**
 * Registers the jobs that `@Job` declares: those of an instance's methods, inherited and private ones too, or, for a class, those of its static
 * methods. May be called before and after `scheduler.start()`. Answers the names of the jobs. A second instance of a class has the same jobs,
 * so their names have to be made from the instance: `@Job({ name: (self) => … })`.
 *
 * @throws {InvalidOptionError} for a target without jobs, and as `scheduler.job()` does: for a name that is used, for instance. The jobs of
 * the target that were registered before that are taken out again.
 */
export function registerJobs(scheduler: Pick<Scheduler, 'job' | 'remove'>, ...targets: readonly object[]): string[] {
  return targets.flatMap((target) => registerAll(scheduler, target))
}

function registerAll(scheduler: Pick<Scheduler, 'job' | 'remove'>, target: object): string[] {
  const jobs = jobsOf(checked(target))
  if (jobs.length === 0) throw new InvalidOptionError(`registerJobs: ${nameOfTarget(target)} has no methods with @Job`)
  const registered: string[] = []
  try {
    for (const { declaration, work } of jobs) {
      const name = nameOf(declaration, target)
      const options: JobOptions = { ...declaration.options, name }
      scheduler.job(options, work.bind(target as never) as JobWork)
      registered.push(name)
    }
  } catch (error) {
    for (const name of registered) scheduler.remove(name)
    throw error
  }
  for (const { declaration } of jobs) declaration.settled = true
  return registered
}

/**
 * Says that this process does not run the jobs of these classes (both of instances and static ones), so that they are not reported as forgotten: in a
 * web process, say, that shares its code with a worker.
 */
export function ignoreJobs(...classes: readonly (abstract new (...args: never[]) => unknown)[]): void {
  for (const each of classes) {
    for (const target of [each, checked(each).prototype as object])
      for (const { declaration } of jobsOf(target)) declaration.settled = true
  }
}

function checked<T extends object>(target: T): T {
  if ((typeof target === 'object' && target !== null) || typeof target === 'function') return target
  throw new InvalidOptionError(
    `registerJobs: expected an instance or a class with @Job methods, but got ${show(target)}`,
  )
}

function nameOfTarget(target: object): string {
  return typeof target === 'function'
    ? `the class ${target.name}, in its static methods,`
    : `an instance of ${target.constructor?.name}`
}
