import type { JobPlan, Plan } from '../config/plan.ts'
import { Failure } from './errors.ts'

/** The job of that name. @throws {Failure} with the name that was most likely meant. */
export async function findJob(plan: Plan, name: string): Promise<JobPlan> {
  const job = plan.jobs.find((each) => each.name === name)
  if (job) return job
  const { suggestion } = await import('../config/nearest.ts')
  const names = plan.jobs.map((each) => each.name)
  throw new Failure(`the config has no job ${JSON.stringify(name)}${suggestion(name, names, 'its jobs are')}`)
}
