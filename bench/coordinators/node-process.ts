import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { forkProgram } from '../harness/fork-program.ts'
import type { Begun } from './judge.ts'

export interface NodeOptions {
  readonly rival: string
  readonly url: string
  readonly label: string
  readonly witness: string
  readonly jobs: number
  readonly takes: number
  /** By how many seconds its wall clock is wrong. */
  readonly clock: number
}

const FAKETIME = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)

/** Debian's package faketime, which gives one process a wall clock of its own; its monotonic clock stays the machine's. */
export const faketime = (): string | undefined => FAKETIME.find((path) => existsSync(path))

/** A process of a cluster under measurement. */
export class NodeProcess {
  readonly #child: ChildProcess
  readonly #options: NodeOptions

  private constructor(child: ChildProcess, options: NodeOptions) {
    this.#child = child
    this.#options = options
  }

  /** Resolves when it is ready. */
  static async start(options: NodeOptions): Promise<NodeProcess> {
    const { rival, url, label, witness, jobs, takes, clock } = options
    const ahead = Date.now() - Number(process.hrtime.bigint()) / 1e6
    const fake = { LD_PRELOAD: faketime(), FAKETIME: `${clock}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
    const child = forkProgram(import.meta.url, './node.js', [rival, url, label, witness, jobs, takes, ahead], {
      env: clock === 0 ? process.env : { ...process.env, ...fake },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${label} of ${rival} ended at its start`)))
    ended.catch(() => {})
    await Promise.race([once(child, 'message'), ended])
    return new NodeProcess(child, options)
  }

  get label(): string {
    return this.#options.label
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** From now on its CPU time counts. */
  measure(): void {
    if (this.#child.connected) this.#child.send('measure')
  }

  /** Its CPU time since then in ms; 0 for one that was killed. */
  async cpu(): Promise<number> {
    if (!this.#child.connected) return 0
    this.#child.send('report')
    const [{ cpu }] = (await Promise.race([once(this.#child, 'message'), sleep(5_000, [{ cpu: Number.NaN }])])) as [
      { readonly cpu: number },
    ]
    return cpu
  }

  /** Resolves when it has begun a run from now on, or after 3 s. */
  async begun(): Promise<void> {
    const from = readBegun(this.#options.witness).length
    for (let tries = 0; tries < 300; tries++) {
      const fresh = readBegun(this.#options.witness).slice(from)
      if (fresh.some(({ node }) => node === this.#options.label)) return
      await sleep(10)
    }
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.send('stop')
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(impatience)
  }
}

/** A line that is being written is left for the next look. */
export function readBegun(witness: string): Begun[] {
  const lines = readFileSync(witness, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Begun)
}
