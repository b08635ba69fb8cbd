// npm run simulate -- [--seeds N] [--from N] [--minutes N]
// npm run simulate -- --seed N [--trace]
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeScenario } from './make-scenario.ts'
import { replay } from './replay.ts'
import { type Result, runScenario } from './run-scenario.ts'
import { Totals } from './totals.ts'

export interface Told extends Pick<Result, 'due' | 'run' | 'runs' | 'forgottenRuns' | 'reasons'> {
  readonly seed: number
  readonly nodes: number
  readonly violation: Result['violations'][number] | undefined
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    worker: { type: 'string' },
    step: { type: 'string', default: '1' },
  },
})

if (values.seed !== undefined) process.exitCode = (await replay(Number(values.seed), values.trace)) ? 0 : 1
else if (values.worker !== undefined) await work(Number(values.worker))
else await direct()

/** One of several processes that share the seeds: each `step`th, beginning with `from`. */
async function work(worker: number): Promise<void> {
  // Nobody reads the stacks of the errors with which the network fails.
  Error.stackTraceLimit = 0
  const until = values.minutes ? Date.now() + Number(values.minutes) * 60_000 : undefined
  const count = until ? Number.POSITIVE_INFINITY : Number(values.seeds)
  const first = Number(values.from)
  for (let seed = first + worker; seed < first + count; seed += Number(values.step)) {
    if (until && Date.now() > until) break
    const scenario = makeScenario(seed)
    const { due, run, runs, reasons, forgottenRuns, violations } = await runScenario(scenario)
    const nodes = scenario.nodes.length
    const told: Told = { seed, due, run, runs, reasons, forgottenRuns, nodes, violation: violations[0] }
    process.send?.(told)
  }
  process.disconnect?.()
}

async function direct(): Promise<void> {
  const totals = new Totals()
  const step = availableParallelism()
  const program = fileURLToPath(import.meta.url)
  const pass = ['--seeds', values.seeds, '--from', values.from, '--step', String(step)]
  if (values.minutes) pass.push('--minutes', values.minutes)
  const codes = await Promise.all(
    Array.from({ length: step }, (_, worker) => {
      const child = fork(program, ['--worker', String(worker), ...pass], { execArgv: process.execArgv })
      child.on('message', (message) => totals.add(message as Told))
      return new Promise<number | null>((resolve) => child.once('exit', resolve))
    }),
  )
  totals.print()
  if (totals.broken.length > 0 || codes.some((code) => code !== 0)) process.exitCode = 1
}
