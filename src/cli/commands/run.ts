import { unwatchFile, watchFile } from 'node:fs'
import { constants } from 'node:os'
import { type Command, Option } from 'commander'
import type { Plan } from '../../config/plan.ts'
import { plural } from '../../format/format.ts'
import type { Logger } from '../../logger.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption, loadPlan } from '../config-option.ts'
import { EXIT } from '../exit-codes.ts'
import type { LogOptions } from '../log.ts'
import { onStopSignal } from '../signals.ts'

interface RunOptions extends ConfigOption, LogOptions {
  readonly watch?: boolean
  readonly http?: string
  readonly httpHosts?: string
  readonly history: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command)
    .description(
      'Runs the jobs of the config until it gets SIGTERM or SIGINT. Start it on as many machines as you like: each tick runs on one of them.',
    )
    .option('-w, --watch', 'take over the config whenever its file changes')
    .option('--http <address>', 'serve a page to look at, /metrics, /healthz and /readyz, such as on 127.0.0.1:8080')
    .option(
      '--http-hosts <names>',
      'the host names by which browsers reach the page, such as jobs.example.com, separated by commas, or any; localhost and addresses need no mention',
    )
    .option('--no-history', 'keep no history of runs in the store')
    .addOption(
      new Option('--log-level <level>', 'the least level that is logged; debug shows skipped ticks')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: readable in a terminal, else JSON')
        .choices(['auto', 'pretty', 'json'])
        .default('auto'),
    )
    .addHelpText('after', HELP)
    .action((options: RunOptions) => choose(() => run(cli, options)))
}

const HELP = `
Signals:
  SIGTERM, SIGINT   begin no tick, wait for the runs (stopGraceFor), end those that take longer, release, exit.
                    A second one kills the runs and exits at once; their leases expire. Within a second of
                    the first, it is the same one.
  SIGHUP            take over the config as it is now. Jobs that stay the same are not touched, runs go on,
                    and when the new config is wrong, the old one stays.

Examples:
  ticklock run
  ticklock run --config /etc/ticklock.yaml --log-format json
  ticklock run --watch --log-level debug
  TICKLOCK_HTTP_TOKEN=$(cat token) ticklock run --http 127.0.0.1:8080

The page lets whoever knows TICKLOCK_HTTP_TOKEN (at least 16 characters) trigger, pause and unlock. On a non-loopback address the token is
required, also for reading.

Exit codes: 0 after a stop, 1 after an error in a module job that nobody caught, 69 the driver of a store is missing, 74 nobody reads
the log any more, 78 wrong config, 130 or 143 after a second SIGINT or SIGTERM.
`

async function run(cli: Cli, options: RunOptions): Promise<number> {
  const plan = await loadPlan(cli, options)
  const { createLog } = await import('../log.ts')
  const { Runner } = await import('../config-runner.ts')
  const { killAllGroups } = await import('../../runner/process-group.ts')
  const logger = createLog(cli, options)
  const runner = new Runner(logger, { history: options.history })

  // Before the start: what comes meanwhile must not be lost. And jobs or not, a store or not, this goes on until it is told to stop.
  const alive = setInterval(() => {}, 2 ** 30)
  const stopped = reasonToStop(cli, logger, killAllGroups)
  const server =
    options.http === undefined
      ? undefined
      : await (await import('../http.ts')).serveHttp(cli, { ...options, http: options.http }, runner, logger)
  await runner.apply(plan)
  logger.info({}, greeting(plan))
  warn(plan, logger)

  const reload = reloader(async (why) => {
    try {
      const next = await loadPlan(cli, options)
      const { added, changed, removed, unchanged } = await runner.apply(next)
      const parts = Object.entries({ added, changed, removed }).flatMap(([what, names]) =>
        names.length ? `${what} ${names.join(', ')}` : [],
      )
      logger.info(
        {},
        `${why}: config taken over: ${parts.join('; ') || 'nothing changed'}${parts.length ? `; ${unchanged.length} as before` : ''}`,
      )
      warn(next, logger)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      logger.error({}, `${why}: the new config is wrong, the one in use stays:\n${text}`)
    }
  })
  const onHangup = (): void => reload('SIGHUP')
  process.on('SIGHUP', onHangup)
  // By looking at the file: it works over network file systems, and for files that are replaced, as a ConfigMap of Kubernetes is.
  if (options.watch) watchFile(plan.file, { interval: 500 }, () => reload('the file changed'))

  const code = await stopped
  clearInterval(alive)
  unwatchFile(plan.file)
  await runner.stop()
  await server?.close()
  process.off('SIGHUP', onHangup)
  logger.info({}, 'stopped')
  return code()
}

/** The scheduler itself warns of schedules without a tick. */
function warn({ warnings }: Plan, logger: Logger): void {
  for (const warning of warnings) logger.warn({}, warning)
}

function greeting({ jobs, stores, file }: Plan): string {
  const on = jobs.filter(({ enabled }) => enabled).length
  const used = stores.filter(({ name }) => jobs.some(({ store, enabled }) => enabled && store === name))
  return `running ${plural(on, 'job')} of ${file}${used.length ? `, locks in ${used.map(({ shown }) => shown).join(', ')}` : ''}`
}

const STOPS = 'no new ticks; waits for the runs under way, releases, ends'

/**
 * Resolves when there is a reason to stop: a signal, an error that nobody caught, or a log that nobody reads. The function that it resolves to returns the
 * exit code, since more reasons may come before the end.
 */
function reasonToStop(cli: Cli, logger: Logger, kill: () => void): Promise<() => number> {
  let code: number = EXIT.ok
  return new Promise((resolve) => {
    const stop = (exitCode: number): void => {
      if (code === EXIT.ok) code = exitCode
      resolve(() => code)
    }
    onStopSignal((signal, count) => {
      if (count === 1) {
        logger.info({}, `${signal}: ${STOPS} (again: ends at once)`)
        return stop(EXIT.ok)
      }
      logger.warn({}, `${signal} again: kills the runs and ends at once; their locks lapse`)
      kill()
      process.exit(128 + constants.signals[signal])
    })
    process.on('uncaughtException', (err, origin) => {
      const what =
        origin === 'unhandledRejection' ? 'a promise was rejected and nobody handled it' : 'an error was thrown'
      logger.error({ err }, `${what}, in a module job or a package; ${STOPS} with ${EXIT.failed}`)
      stop(EXIT.failed)
    })
    cli.onOutputLost(() => {
      cli.tell(`ticklock: nobody reads the log any more; ${STOPS} with ${EXIT.output}`)
      stop(EXIT.output)
    })
  })
}

/** One after another, and one for all that come meanwhile. */
function reloader(work: (why: string) => Promise<void>): (why: string) => void {
  let running = false
  let wanted: string | undefined
  return async (why) => {
    wanted = why
    if (running) return
    running = true
    while (wanted !== undefined) {
      const reason: string = wanted
      wanted = undefined
      await work(reason)
    }
    running = false
  }
}
