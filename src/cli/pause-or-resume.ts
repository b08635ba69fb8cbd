import type { Cli } from './cli.ts'
import { type ConfigOption, loadPlan } from './config-option.ts'
import { Failure } from './errors.ts'
import { EXIT } from './exit-codes.ts'

/** Pauses a job of the config for the whole cluster, or resumes it. */
export async function pauseOrResume(cli: Cli, name: string, paused: boolean, options: ConfigOption): Promise<number> {
  const plan = await loadPlan(cli, options)
  const { findJob } = await import('./find-job.ts')
  const { withStore } = await import('./locks.ts')
  const job = await findJob(plan, name)
  const store = plan.stores.find((each) => each.name === job.store)
  if (!store) throw new Error(`no store ${job.store}`)
  const changed = await withStore(store, async (provider) => {
    if (!provider.setPaused) throw new Failure(`${store.kind.name} can't pause jobs`)
    await provider.setup?.()
    return provider.setPaused({ name, paused })
  })
  const now = paused ? 'is paused' : 'is not paused'
  cli.print(changed ? `${cli.colors.green('✓')} ${name} ${now}, on every node` : `${name} ${now}, as before`)
  return EXIT.ok
}
