import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalFamily } from './process-family.ts'
import { lastLines } from './run-program.ts'
import { serverFolder } from './server-folder.ts'
import type { SystemUser } from './system-user.ts'
import { Watchdog } from './watchdog.ts'

/** How to run a server. */
export interface ServerCommand {
  /** What it is, for messages and for tests that pick one of several. */
  readonly name: string
  readonly port: number
  readonly program: string
  /** @default ourselves */
  readonly user?: SystemUser
  /** Where its temporary folder is made. @default the system's */
  readonly parent?: string
  /** The polite way to end it. @default 'SIGTERM' */
  readonly stopSignal?: NodeJS.Signals
  /** Called once, before the first start. */
  prepare?(folder: string): Promise<void>
  args(folder: string): readonly string[]
  /** Throws as long as the server doesn't answer. */
  probe(): Promise<unknown>
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000

/** A server process that the tests own: they may kill it, start it again, freeze it. */
export class ServerProcess {
  readonly #command: ServerCommand
  readonly #folder: string
  readonly #watchdog: Watchdog
  #child: ChildProcess | undefined
  #paused = false

  private constructor(command: ServerCommand) {
    this.#command = command
    this.#folder = serverFolder(command.name, command.user, command.parent)
    this.#watchdog = new Watchdog(this.#folder)
  }

  /** Resolves when it answers. Leaves nothing behind when it doesn't. */
  static async launch(command: ServerCommand): Promise<ServerProcess> {
    const launched = new ServerProcess(command)
    try {
      await command.prepare?.(launched.#folder)
      await launched.start()
      return launched
    } catch (error) {
      await launched.stop()
      throw error
    }
  }

  get name(): string {
    return this.#command.name
  }

  get port(): number {
    return this.#command.port
  }

  /** Undefined while it doesn't run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Brings it back after {@link kill}, on the same port and data; resolves when it answers. */
  async start(): Promise<void> {
    if (this.#child) throw new Error(`${this.name} runs already`)
    const { program, user } = this.#command
    const log = openSync(this.#logFile, 'w')
    // A session of its own: Ctrl-C in a terminal ends the tests, which then end the server in order.
    const options = { ...user, cwd: this.#folder, detached: true, stdio: ['ignore', log, log] } as const
    const child = spawn(program, this.#command.args(this.#folder), { ...options, stdio: [...options.stdio] })
    closeSync(log)
    await once(child, 'spawn')
    this.#child = child
    this.#watchdog.watch(child.pid)
    child.once('exit', () => {
      this.#child = undefined
      this.#watchdog.watch(undefined)
    })
    await this.#untilItAnswers()
  }

  /** Ends it at once, as a crash does (SIGKILL). Its data stays. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it politely, for good, and removes its folder. Idempotent. */
  async stop(): Promise<void> {
    await this.#end(this.#command.stopSignal ?? 'SIGTERM')
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 })
    this.#watchdog.dismiss()
  }

  /** Freezes it: connections stay open and nothing answers. */
  pause(): void {
    this.#paused = true
    if (this.pid !== undefined) signalFamily(this.pid, 'SIGSTOP')
  }

  /** The end of {@link pause}. */
  resume(): void {
    this.#paused = false
    if (this.pid !== undefined) signalFamily(this.pid, 'SIGCONT')
  }

  get #logFile(): string {
    return join(this.#folder, 'server.log')
  }

  async #untilItAnswers(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS
    while (this.#child) {
      try {
        await this.#command.probe()
        // Somebody else's server may have answered, if ours ended because the port was taken.
        if (this.#child) return
      } catch (error) {
        if (Date.now() > deadline) throw new Error(`${this.name} does not answer: ${error}`, { cause: error })
        await sleep(50)
      }
    }
    throw new Error(`${this.name} ended at its start: ${lastLines(readFileSync(this.#logFile, 'utf8'))}`)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child) return
    if (this.#paused) this.resume()
    const ended = once(child, 'exit')
    child.kill(signal)
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(impatience)
  }
}
