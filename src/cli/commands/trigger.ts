import { type Command, Option } from 'commander'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption, loadPlan } from '../config-option.ts'
import { EXIT } from '../exit-codes.ts'
import type { LogOptions } from '../log.ts'
import { onStopSignal } from '../signals.ts'

interface TriggerOptions extends ConfigOption {
  readonly logFormat: LogOptions['logFormat']
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command.argument('<job>', "the job's name"))
    .description(
      'Runs a job of the config now, on this machine, under its lock. It takes no tick: the next one comes as planned. Disabled jobs too.',
    )
    .addOption(
      new Option('--log-format <format>', 'auto: readable in a terminal, else JSON')
        .choices(['auto', 'pretty', 'json'])
        .default('auto'),
    )
    .addHelpText('after', HELP)
    .action((name: string, options: TriggerOptions) => choose(() => trigger(cli, name, options)))
}

const HELP = `
Examples:
  ticklock trigger nightly-backup

Exit codes: 0 the run succeeded, 1 it failed, 75 the lock was not obtained, 69 the store failed.
`

async function trigger(cli: Cli, name: string, options: TriggerOptions): Promise<number> {
  const plan = await loadPlan(cli, options)
  const { findJob } = await import('../find-job.ts')
  const job = await findJob(plan, name)
  const { createLog } = await import('../log.ts')
  const { StoreNode } = await import('../node.ts')
  const { namesOfStoreUrls } = await import('../../runner/child-environment.ts')
  const { isNotObtained, isStoreError } = await import('../../errors.ts')
  const store = plan.stores.find((each) => each.name === job.store)
  if (!store) throw new Error(`no store ${job.store}`)
  const logger = createLog(cli, { logLevel: 'info', logFormat: options.logFormat })
  const node = await StoreNode.open(store, plan, logger)
  node.put(job, new Set(namesOfStoreUrls(process.env, plan.stores)))
  const stopOptions = { graceFor: 0, abortFor: ('killAfter' in job.action ? job.action.killAfter : 0) + 2_000 }
  const off = onStopSignal(() => void node.stop(stopOptions))
  // The run goes on without its log.
  cli.onOutputLost(() => {})
  let uncaught = false
  process.on('uncaughtException', (err) => {
    uncaught = true
    logger.error({ err }, 'an error that nobody caught, in a module job or a package')
  })
  try {
    await node.setUp()
    const outcome = await node.scheduler.trigger(name)
    if (outcome.ran) return uncaught ? EXIT.failed : EXIT.ok
    const { clockTime } = await import('../../format/format.ts')
    const until = outcome.heldUntil ? ` until ${clockTime(outcome.heldUntil.getTime(), undefined)}` : ''
    cli.tell(`${name} did not run: ${outcome.heldBy ?? 'somebody else'} has its lock${until}`)
    return EXIT.notObtained
  } catch (error) {
    if (isStoreError(error) || isNotObtained(error)) throw error
    // The log has told it.
    return EXIT.failed
  } finally {
    off()
    await node.stop(stopOptions)
  }
}
