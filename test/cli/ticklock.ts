import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The built command line. */
export const bin = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A line of the log as JSON. */
export interface LogLine {
  readonly msg: string
  readonly job?: string
  readonly kind?: string
  readonly scheduledAt?: string
  readonly stream?: string
  readonly [field: string]: unknown
}

/** How long something is waited for that must come, on however busy a machine. */
const TIMEOUT = 60_000

/** A process of the built command line. */
export class Ticklock {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  /** `within`: a command that runs it, such as `unshare`. */
  constructor(args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv, within: readonly string[] = []) {
    const { NO_COLOR: _, FORCE_COLOR: __, TICKLOCK_STORE: ___, ...inherited } = process.env
    const [program = '', ...rest] = [...within, process.execPath, bin, ...args]
    this.process = spawn(program, rest, {
      cwd,
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout?.on('data', (data) => {
      this.#stdout += String(data)
    })
    this.process.stderr?.on('data', (data) => {
      this.#stderr += String(data)
    })
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      )
    })
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  get log(): LogLine[] {
    return this.#stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine)
  }

  /** The first line of the log that matches, now or later. */
  async line(matches: (line: LogLine) => boolean, what: string): Promise<LogLine> {
    await until(
      () => this.log.some(matches),
      () => `${what} in the log:\n${this.#stdout}${this.#stderr}`,
    )
    return this.log.find(matches) as LogLine
  }

  running(): Promise<LogLine> {
    return this.line(({ msg }) => msg.startsWith('running '), 'the start')
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }
}

/** A folder of its own, and the processes that work in it. */
export class Workplace implements AsyncDisposable {
  // Without links in it, as processes see it.
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'ticklock-cli-')))
  readonly #started: Ticklock[] = []

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text)
    return join(this.folder, name)
  }

  config(text: string): string {
    return this.write('ticklock.config.yaml', text)
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name))
  }

  /** The lines of a file; none while there is no such file. */
  lines(name: string): string[] {
    return this.has(name) ? readFileSync(join(this.folder, name), 'utf8').split('\n').filter(Boolean) : []
  }

  /** Resolves when the file has a line that matches. */
  async line(name: string, matches: (line: string) => boolean = () => true): Promise<string> {
    await until(
      () => this.lines(name).some(matches),
      () => `a line in ${name}, which has:\n${this.lines(name).join('\n')}`,
    )
    return this.lines(name).find(matches) as string
  }

  start(args: readonly string[], environment: NodeJS.ProcessEnv = {}, within: readonly string[] = []): Ticklock {
    const started = new Ticklock(args, this.folder, environment, within)
    this.#started.push(started)
    return started
  }

  /** Runs it to its end. */
  run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(args, environment).ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#started) process.kill('SIGKILL')
    await Promise.all(this.#started.map(({ ended }) => ended))
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Looks again and again until it is so. */
export async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const end = performance.now() + TIMEOUT
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited ${TIMEOUT} ms for ${what()}`)
    await sleep(20)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie is dead; its parent has not looked yet.
  const stat = `/proc/${pid}/stat`
  return !(existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8')))
}

/** Resolves when the process has ended. */
export const dead = (pid: number): Promise<void> =>
  until(
    () => !isAlive(pid),
    () => `the end of process ${pid}`,
  )
