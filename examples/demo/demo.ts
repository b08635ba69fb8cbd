// Three processes, one SQLite file, no server: every tick runs once, though one of the three is killed on the way.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { jobs } from './jobs.ts'
import type { Report } from './report.ts'
import { judge, type Verdict, type Witnessed } from './verdict.ts'

const SECONDS = 15
const KILL_AFTER_MS = 5_000

const folder = mkdtempSync(join(tmpdir(), 'ticklock-demo-'))
const witness = join(folder, 'witness.jsonl')
const nodes = new Map<string, ChildProcess>()
const colours = { 'node-1': 'cyan', 'node-2': 'magenta', 'node-3': 'yellow' } as const
const paint = (node: string): string => styleText(colours[node as keyof typeof colours] ?? 'white', node)

let killed = ''
let killFrom = Number.POSITIVE_INFINITY

console.log('Three nodes share one SQLite file. Each line is one tick of one job on one node.\n')
await Promise.all(Object.keys(colours).map(startNode))
const from = Date.now() + 500
killFrom = from + KILL_AFTER_MS
await sleep(SECONDS * 1000)
// The last tick judged is one that every job has had the time to finish.
const to = Date.now() - 2_000
await Promise.all([...nodes.values()].map(stopNode))
process.exitCode = report()
rmSync(folder, { recursive: true, force: true })

function startNode(label: string): Promise<void> {
  const program = fileURLToPath(new URL('./node.ts', import.meta.url))
  const node = fork(program, [label, join(folder, 'demo.sqlite'), witness], { execArgv: ['--import', 'tsx'] })
  nodes.set(label, node)
  return new Promise((resolve, reject) => {
    node.once('exit', (code) => {
      nodes.delete(label)
      if (label !== killed) reject(new Error(`${label} ended with code ${code}`))
    })
    node.on('message', (message) => {
      const told = message as Report
      if (told.event === 'ready') resolve()
      else show(told)
    })
  })
}

function show({ event, node, job = '', tick, kind, reason, heldBy }: Report): void {
  const at = tick === undefined ? '' : new Date(tick).toISOString().slice(11, 19)
  const what =
    event === 'started'
      ? styleText('green', kind === 'rerun' ? 'runs it again after the crash' : 'runs')
      : event === 'skipped'
        ? styleText('gray', `skips: ${reason}${heldBy ? `, ${heldBy} has it` : ''}`)
        : styleText('red', `${event} ${reason ?? ''}`)
  if (event !== 'succeeded') console.log(`${at}  ${job.padEnd(10)} ${paint(node)} ${what}`)
  if (event === 'started' && job === 'import' && !killed && Date.now() > killFrom) kill(node)
}

/** Kills the node that has just begun the long job, in the middle of it. */
function kill(label: string): void {
  killed = label
  setTimeout(() => {
    console.log(`\n${styleText('red', `kill -9 ${label}`)}, in the middle of its import\n`)
    nodes.get(label)?.kill('SIGKILL')
  }, 400)
}

function stopNode(node: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    node.removeAllListeners('exit').once('exit', () => resolve())
    node.send('stop')
  })
}

/** Prints the table and the verdict; answers the exit code. */
function report(): number {
  const witnessed = readFileSync(witness, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Witnessed)
  const verdicts = jobs.map((job) => judge(job, witnessed, from, to, killed))
  console.log()
  const row = ({ due, run, takenOver, twice, missed }: Verdict): object => {
    return { 'ticks due': due, run, 'of these taken over': takenOver, 'run twice': twice, missed }
  }
  console.table(Object.fromEntries(verdicts.map((verdict) => [verdict.job, row(verdict)])))
  const count = (what: 'due' | 'run' | 'twice' | 'missed'): number =>
    verdicts.reduce((sum, each) => sum + each[what], 0)
  const good = count('twice') === 0
  const text = `${count('due')} ticks were due, ${count('run')} ran, ${count('twice')} ran twice, ${count('missed')} were missed.`
  console.log(
    styleText(
      good && count('missed') === 0 ? 'green' : 'red',
      `${good ? 'Once per tick:' : 'NOT once per tick:'} ${text}`,
    ),
  )
  return good ? 0 : 1
}
