import type { Readable } from 'node:stream'
import pc from 'picocolors'
import { Secrets } from '../config/secrets.ts'
import { EXIT } from './exit-codes.ts'
import { printable } from './printable.ts'

type Colors = ReturnType<typeof pc.createColors>

/** Where output goes: a stream, which may be a terminal. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly writableLength?: number
}

export interface CliStreams {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
}

/** The world as a command sees it. All output goes through it, so that no password of a store gets out. */
export class Cli {
  readonly environment: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdin: CliStreams['stdin']
  readonly secrets = new Secrets()
  readonly #stdout: Output
  readonly #stderr: Output
  #onOutputLost: (() => void) | undefined

  constructor({ stdin, stdout, stderr }: CliStreams, environment: NodeJS.ProcessEnv, cwd: string) {
    this.stdin = stdin
    this.#stdout = stdout
    this.#stderr = stderr
    this.environment = environment
    this.cwd = cwd
  }

  get isTerminal(): boolean {
    return this.#stdout.isTTY === true
  }

  /** Whether somebody is there to answer a question. */
  get canAsk(): boolean {
    return this.stdin.isTTY === true && this.#stderr.isTTY === true
  }

  /** How wide the terminal is; far wider than any line where there is none. */
  get width(): number {
    return this.#stdout.columns ?? 10_000
  }

  /** For what goes to the standard output. */
  get colors(): Colors {
    return pc.createColors(this.#wantsColors(this.#stdout))
  }

  /** For what goes to the standard error. */
  get errorColors(): Colors {
    return pc.createColors(this.#wantsColors(this.#stderr))
  }

  /** Writes lines to the standard output. */
  print(text: string): void {
    this.write(`${text}\n`)
  }

  write(text: string): void {
    this.#put(this.#safe(text, this.#stdout))
  }

  /** Writes a text over what the terminal shows. */
  repaint(text: string): void {
    // To the top, each line to its end, then all that is below.
    const lines = this.#safe(text, this.#stdout).replaceAll('\n', '\x1b[K\n')
    this.#put(`\x1b[H${lines}\x1b[K\n\x1b[J`)
  }

  /** Clears the terminal. */
  clear(): void {
    this.#put('\x1b[2J')
  }

  #put(text: string): void {
    try {
      this.#stdout.write(text)
    } catch {
      // A file is written at once, and throws when its disk is full. There may be room for the next line.
    }
  }

  /** How much output waits until somebody reads it, in bytes. */
  get unread(): number {
    return this.#stdout.writableLength ?? 0
  }

  /** Calls back once when the output can't be written any more. Without that, the process ends then, as with `ticklock list | head`. */
  onOutputLost(listener: () => void): void {
    this.#onOutputLost = () => {
      this.#onOutputLost = () => {}
      listener()
    }
  }

  /** Nobody reads the output any more. */
  outputLost(): void {
    if (!this.#onOutputLost) process.exit(EXIT.ok)
    this.#onOutputLost()
  }

  printJson(value: unknown): void {
    this.print(JSON.stringify(value, undefined, 2))
  }

  /** Writes lines to the standard error: for what is no result. */
  tell(text: string): void {
    this.#stderr.write(`${this.#safe(text, this.#stderr)}\n`)
  }

  #safe(text: string, stream: Output): string {
    return printable(this.secrets.hide(text), this.#wantsColors(stream))
  }

  #wantsColors(stream: Output): boolean {
    const { NO_COLOR, FORCE_COLOR, TERM } = this.environment
    if (NO_COLOR) return false
    if (FORCE_COLOR) return FORCE_COLOR !== '0'
    return stream.isTTY === true && TERM !== 'dumb'
  }
}
