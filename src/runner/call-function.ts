import { importFile } from '../config/load-module.ts'
import type { ModuleWay } from '../config/plan.ts'
import { JobFailed } from './job-failed.ts'
import type { RunContext } from './run-context.ts'

/** Calls the function of a module with what a job's function gets. */
export async function callFunction(
  { file, exported }: ModuleWay,
  { job, signal, logger }: RunContext,
): Promise<unknown> {
  const module = await importFile(file)
  const work = module[exported]
  if (typeof work !== 'function') {
    const names = Object.keys(module).filter((name) => typeof module[name] === 'function')
    throw new JobFailed(`${file} exports no function ${exported}; its functions are: ${names.join(', ') || 'none'}`)
  }
  const { name, scheduledAt, firedAt, lock, fencingToken } = job
  return work({ name, scheduledAt, firedAt, lock, fencingToken, signal, logger })
}
