import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What two processes did together. */
export interface Witnessed {
  /** What they printed of ticks, in order. */
  readonly ticks: readonly string[]
  readonly codes: readonly (number | NodeJS.Signals | null)[]
  readonly errors: string
}

export interface PairOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** How many ticks have to be seen while both run. */
  readonly ticks?: number
  readonly timeout?: number
}

/**
 * Runs one example in two processes side by side, until some ticks were run while both were up, and ends them as an orchestrator does. The
 * witness is what they print, both into one file outside of the store.
 */
export async function runPair(example: string, options: PairOptions = {}): Promise<Witnessed> {
  const folder = mkdtempSync(join(tmpdir(), 'ticklock-adapter-'))
  const witness = join(folder, 'witness.txt')
  const mishaps = join(folder, 'errors.txt')
  const env = { ...process.env, TICKLOCK_FILE: join(folder, 'locks.sqlite'), ...options.env }
  const execArgv = ['--import', 'tsx', ...(options.execArgv ?? [])]
  const files = [openSync(witness, 'a'), openSync(mishaps, 'a')] as const
  const start = (): ChildProcess =>
    spawn(process.execPath, [...execArgv, join(root, 'examples', example)], { env, stdio: ['ignore', ...files] })
  const lines = (): string[] => readFileSync(witness, 'utf8').split('\n').filter(Boolean)
  const ticks = (): string[] => lines().filter((line) => line.startsWith('tick '))

  const nodes = [start(), start()]
  const ended = Promise.all(nodes.map((node) => once(node, 'exit')))
  try {
    const until = Date.now() + (options.timeout ?? 60_000)
    const waitFor = async (done: () => boolean): Promise<void> => {
      while (!done() && nodes.every(({ exitCode }) => exitCode === null) && Date.now() < until) await sleep(50)
    }
    await waitFor(() => lines().filter((line) => line === 'ready').length === 2)
    const before = ticks().length
    await waitFor(() => ticks().length >= before + (options.ticks ?? 4))
    for (const node of nodes) node.kill('SIGTERM')
    const codes = (await ended).map(([code, signal]) => code ?? signal)
    const errors = readFileSync(mishaps, 'utf8').replace(/.*(ExperimentalWarning|trace-warnings).*\n/g, '')
    return { ticks: ticks(), codes, errors }
  } finally {
    for (const node of nodes) node.kill('SIGKILL')
    for (const file of files) closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}
