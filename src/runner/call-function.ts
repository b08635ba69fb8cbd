import { importFile } from '../config/load-module.ts'
import type { ModuleAction } from '../config/plan.ts'
import { JobFailedError } from './job-failed.ts'
import type { RunEnvironment } from './run-environment.ts'

/** Calls the function of a module with what a job's function gets. */
export async function callFunction(
  { file, exported }: ModuleAction,
  { job, signal, logger }: RunEnvironment,
): Promise<unknown> {
  const module = await importFile(file)
  const work = module[exported]
  if (typeof work !== 'function') {
    const names = Object.keys(module).filter((name) => typeof module[name] === 'function')
    throw new JobFailedError(
      `${file} exports no function ${exported}; its functions are: ${names.join(', ') || 'none'}`,
    )
  }
  const { name, scheduledAt, firedAt, lock, fencingToken } = job
  return work({ name, scheduledAt, firedAt, lock, fencingToken, signal, logger })
}
