import { checkJob, type JobContext } from '../scheduler/job.ts'
import { Defaults } from '../scheduler/job-options.ts'
import { type Declaration, declare, declarePrivate, type MethodJobOptions } from './declarations.ts'
import { inBothForms } from './form.ts'
import { reportUnlessRegistered } from './unregistered.ts'

/** A method that the scheduler can call. */
export type JobMethod = (context: JobContext) => unknown

/** `@Job` in both forms. The method stays as it is. */
export interface JobDecorator {
  // biome-ignore lint/suspicious/noConfusingVoidType: what a decorator answers that changes nothing
  <This, Method extends JobMethod>(method: Method, context: ClassMethodDecoratorContext<This, Method>): Method | void
  <Method extends JobMethod>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
    // biome-ignore lint/suspicious/noConfusingVoidType: what a decorator answers that changes nothing
  ): TypedPropertyDescriptor<Method> | void
}

/**
 * Declares that a method is a job: the options are those of `scheduler.job()`. It runs once its instance is handed to {@link registerJobs}; for
 * a static method, once its class is. Stands on a method more than once for more than one job. A job that was not registered 30 s after its
 * class was defined is reported as a warning of the process. Both forms of decorators: the standard one, and TypeScript's `experimentalDecorators`.
 *
 * @throws {InvalidOptionError} when the class is defined, for a wrong option that no scheduler's defaults could mend.
 */
export function Job(options: MethodJobOptions): JobDecorator {
  return inBothForms('Job', ({ method, name, context }) => {
    check(options, name)
    const declaration: Declaration = { options, method: context?.private ? name : `${name}()`, settled: false }
    declare(method, declaration)
    if (context?.private) {
      context.addInitializer(function () {
        const work = context.access.get(this) as typeof method
        declarePrivate(this, { declaration, work })
      })
    }
    reportUnlessRegistered(declaration)
    return method
  }) as JobDecorator
}

/** As the scheduler will, but with a lease: that may come from its defaults. */
function check(options: MethodJobOptions, method: string): void {
  const lockAtMostFor = options?.lockAtMostFor ?? options?.lockAtLeastFor ?? 1
  const name = typeof options?.name === 'function' ? `@Job on ${method}` : (options?.name as string)
  checkJob({ ...options, name, lockAtMostFor }, new Defaults(), () => {})
}
