import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What two processes did together. */
export interface Witnessed {
  /** What they printed of ticks, in order. */
  readonly ticks: readonly string[]
  readonly codes: readonly (number | NodeJS.Signals | null)[]
  readonly errors: string
}

export interface ProcessesOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** How many ticks have to be seen while both run. */
  readonly ticks?: number
  /** Ends the run as soon as this was printed to stderr, in place of ticks. */
  readonly untilError?: RegExp
  readonly timeout?: number
}

/**
 * Runs one script in two processes side by side, until some ticks were run while both were up, and ends them as an orchestrator does. The
 * witness is what they print, both into one file outside of the store.
 */
export async function runTwo(script: string, options: ProcessesOptions = {}): Promise<Witnessed> {
  const folder = mkdtempSync(join(tmpdir(), 'ticklock-two-'))
  const witness = join(folder, 'witness.txt')
  const mishaps = join(folder, 'errors.txt')
  const env = { ...process.env, TICKLOCK_FILE: join(folder, 'locks.sqlite'), ...options.env }
  const files = [openSync(witness, 'a'), openSync(mishaps, 'a')] as const
  const start = (): ChildProcess =>
    spawn(process.execPath, [...(options.execArgv ?? []), script], { env, stdio: ['ignore', ...files] })
  const lines = (): string[] => readFileSync(witness, 'utf8').split('\n').filter(Boolean)
  const ticks = (): string[] => lines().filter((line) => line.startsWith('tick '))
  const errors = (): string => readFileSync(mishaps, 'utf8')

  const nodes = [start(), start()]
  const ended = Promise.all(nodes.map((node) => once(node, 'exit')))
  try {
    const until = Date.now() + (options.timeout ?? 60_000)
    const waitFor = async (done: () => boolean): Promise<void> => {
      while (!done() && nodes.every(({ exitCode }) => exitCode === null) && Date.now() < until) await sleep(50)
    }
    await waitFor(() => lines().filter((line) => line === 'ready').length === 2)
    const before = ticks().length
    const { untilError } = options
    await waitFor(() => (untilError ? untilError.test(errors()) : ticks().length >= before + (options.ticks ?? 4)))
    for (const node of nodes) node.kill('SIGTERM')
    const codes = (await ended).map(([code, signal]) => code ?? signal)
    return { ticks: ticks(), codes, errors: errors() }
  } finally {
    for (const node of nodes) node.kill('SIGKILL')
    for (const file of files) closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}
