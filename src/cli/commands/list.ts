import type { Command } from 'commander'
import type { JobPlan, Plan } from '../../config/plan.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { type ConfigOption, configOption, loadPlan } from '../config-option.ts'
import { EXIT } from '../exit-codes.ts'

interface ListOptions extends ConfigOption {
  readonly json?: boolean
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  configOption(command)
    .description(
      "Lists the jobs of the config: schedule in words, next tick in the job's time zone, what runs. Asks no store.",
    )
    .option('--json', 'as JSON, with the next three ticks')
    .addHelpText('after', HELP)
    .action((options: ListOptions) => choose(() => list(cli, options)))
}

const HELP = `
Examples:
  ticklock list
  ticklock list --json | jq -r '.jobs[] | select(.enabled) | .name'
`

async function list(cli: Cli, options: ListOptions): Promise<number> {
  const plan = await loadPlan(cli, options)
  if (options.json) cli.printJson(await asJson(plan))
  else cli.print(plan.jobs.length === 0 ? `${plan.file} has no jobs` : await asTable(cli, plan))
  return EXIT.ok
}

async function asTable(cli: Cli, plan: Plan): Promise<string> {
  const { table } = await import('../table.ts')
  const { scheduleInWords } = await import('../describe-schedule.ts')
  const { nextTicks, tickTime, zoneOf } = await import('../ticks.ts')
  const { relative } = await import('../../format/format.ts')
  const { dim, yellow } = cli.colors
  const now = Date.now()
  const several = plan.stores.length > 1
  const rows = plan.jobs.map((job) => {
    const [tick] = nextTicks(job, 1, now)
    const next = !job.enabled ? yellow('disabled') : tick ? tickTime(tick, zoneOf(job)) : yellow('never')
    const away = job.enabled && tick ? dim(relative(tick.getTime(), now)) : ''
    const row = [job.name, scheduleInWords(job), next, away, short(job.runs), ...(several ? [job.store] : [])]
    return job.enabled ? row : row.map((cell) => dim(cell))
  })
  return table(cli, ['JOB', 'SCHEDULE', 'NEXT', '', 'RUNS', ...(several ? ['STORE'] : [])], rows)
}

async function asJson(plan: Plan): Promise<object> {
  const { scheduleInWords } = await import('../describe-schedule.ts')
  const { nextTicks } = await import('../ticks.ts')
  const now = Date.now()
  const jobs = plan.jobs.map((job: JobPlan) => {
    const { name, description, enabled, store, options, runs } = job
    const { cron, every, timezone } = options
    const ticks = nextTicks(job, 3, now)
    return {
      name,
      description,
      enabled,
      cron,
      every,
      timezone,
      schedule: scheduleInWords(job),
      next: ticks,
      runs,
      store,
    }
  })
  return { file: plan.file, stores: plan.stores.map(({ name, shown }) => ({ name, url: shown })), jobs }
}

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text)
