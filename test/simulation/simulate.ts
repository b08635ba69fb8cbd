// npm run simulate -- [--seeds N] [--from N] [--seed N] [--minutes N]
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runScenario } from './run-scenario.ts'
import { makeScenario, type Scenario } from './scenario.ts'
import { shorten } from './shorten.ts'
import type { Violation } from './witness.ts'

interface Told {
  readonly seed: number
  readonly due: number
  readonly run: number
  readonly runs: number
  readonly nodes: number
  readonly violation: Violation | undefined
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    worker: { type: 'string' },
    step: { type: 'string', default: '1' },
  },
})

if (values.seed !== undefined) await replay(Number(values.seed))
else if (values.worker !== undefined) await work()
else await direct()

/** Runs one seed, and shows the shortest schedule of faults that breaks it. */
async function replay(seed: number): Promise<void> {
  const scenario = makeScenario(seed)
  const result = await runScenario(scenario)
  console.log(
    `seed ${seed}: ${scenario.nodes.length} nodes, ${result.due} ticks due, ${result.run} ran, ${result.runs} runs`,
  )
  if (result.violations.length === 0) return
  const shortest = await shorten(scenario)
  show(shortest.scenario, shortest.violations)
  process.exitCode = 1
}

function show(scenario: Scenario, violations: readonly Violation[]): void {
  for (const { rule, what, at } of violations.slice(0, 5))
    console.log(`  broken: ${rule}: ${what} (${(at / 1000).toFixed(3)} s)`)
  console.log('  jobs: ', JSON.stringify(scenario.jobs))
  console.log('  nodes: ', JSON.stringify(scenario.nodes))
  console.log('  weather: ', JSON.stringify(scenario.weather))
  console.log('  the shortest schedule of faults that shows it:')
  for (const fault of scenario.faults) console.log('   ', JSON.stringify(fault))
}

/** One of several processes that share the seeds: each `step`th, beginning with `from`. */
async function work(): Promise<void> {
  const step = Number(values.step)
  const until = values.minutes ? Date.now() + Number(values.minutes) * 60_000 : undefined
  const count = until ? Number.POSITIVE_INFINITY : Number(values.seeds)
  const first = Number(values.from)
  for (let seed = first + Number(values.worker); seed < first + count; seed += step) {
    if (until && Date.now() > until) break
    const scenario = makeScenario(seed)
    const { due, run, runs, violations } = await runScenario(scenario)
    const told: Told = { seed, due, run, runs, nodes: scenario.nodes.length, violation: violations[0] }
    process.send?.(told)
  }
  process.disconnect?.()
}

async function direct(): Promise<void> {
  const startedAt = performance.now()
  const totals = { seeds: 0, due: 0, run: 0, runs: 0, nodes: 0 }
  const broken: Told[] = []
  const step = availableParallelism()
  const program = fileURLToPath(import.meta.url)
  const pass = [
    '--seeds',
    values.seeds,
    '--from',
    values.from,
    ...(values.minutes ? ['--minutes', values.minutes] : []),
  ]
  const codes = await Promise.all(
    Array.from({ length: step }, (_, worker) => {
      const child = fork(program, ['--worker', String(worker), '--step', String(step), ...pass], {
        execArgv: process.execArgv,
      })
      child.on('message', (message) => {
        const told = message as Told
        totals.seeds++
        for (const key of ['due', 'run', 'runs', 'nodes'] as const) totals[key] += told[key]
        if (told.violation) broken.push(told)
      })
      return new Promise<number | null>((resolve) => child.once('exit', resolve))
    }),
  )
  console.table({
    'the simulation': {
      seeds: totals.seeds,
      nodes: totals.nodes,
      'ticks due': totals.due,
      'ticks run': totals.run,
      'not run, for a reason':
        totals.due - totals.run - broken.filter(({ violation }) => violation?.rule === 'liveness').length,
      'broken rules': broken.length,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    },
  })
  for (const { seed, violation } of broken.sort((a, b) => a.seed - b.seed).slice(0, 20)) {
    console.log(`seed ${seed}: ${violation?.rule}: ${violation?.what}\n  npm run simulate -- --seed ${seed}`)
  }
  if (broken.length > 0 || codes.some((code) => code !== 0)) process.exitCode = 1
}
