import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { forkProgram } from '../harness/fork-program.ts'
import { shortly } from '../harness/shortly.ts'
import { within } from '../harness/within.ts'
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
  /** None of its jobs is due. */
  readonly idle: boolean
}

const FAKETIME = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)

/** Debian's package faketime, which gives one process a wall clock of its own; its monotonic clock stays the machine's. */
export const faketime = (): string | undefined => FAKETIME.find((path) => existsSync(path))

/** How long a process may take to be ready, in ms. */
const START = 60_000

/** A process of a cluster under measurement. */
export class NodeProcess {
  readonly #child: ChildProcess
  readonly #options: NodeOptions
  #complaint = ''

  constructor(options: NodeOptions) {
    const { rival, url, label, witness, jobs, takes, clock, idle } = options
    const ahead = Date.now() - Number(process.hrtime.bigint()) / 1e6
    const fake = {
      LD_PRELOAD: faketime(),
      FAKETIME: `${clock < 0 ? '' : '+'}${clock}s`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    this.#options = options
    this.#child = forkProgram(import.meta.url, './node.js', [rival, url, label, witness, jobs, takes, ahead, idle], {
      env: clock === 0 ? process.env : { ...process.env, ...fake },
      // What rivals write while their store is away would fill the terminal; a process that ends at its start tells why.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.on('error', () => {}) // It ended while something was sent to it.
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#complaint.length < 2_000) this.#complaint += text
    })
  }

  /** Resolves when it has started its jobs. */
  async ready(): Promise<void> {
    const { rival, label } = this.#options
    const ended = once(this.#child, 'close').then(() => {
      throw new Error(`${label} of ${rival} ended at its start: ${shortly(this.#complaint)}`)
    })
    await within(START, `the start of ${label} of ${rival}`, Promise.race([once(this.#child, 'message'), ended]))
  }

  get label(): string {
    return this.#options.label
  }

  get index(): number {
    return Number(this.label.slice('node-'.length))
  }

  get witness(): string {
    return this.#options.witness
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

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    // One that is stopped by a signal hears nothing else.
    this.#child.kill('SIGCONT')
    if (this.#child.connected) this.#child.send('stop')
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(impatience)
  }
}

/** The process that begins a run next; the first one when none does within 5 s. */
export async function nextBegun(nodes: readonly NodeProcess[]): Promise<NodeProcess | undefined> {
  const witness = nodes[0]?.witness ?? ''
  const before = readBegun(witness).length
  for (let tries = 0; tries < 500; tries++) {
    const next = readBegun(witness)[before]
    if (next) return nodes.find(({ label }) => label === next.node)
    await sleep(10)
  }
  return nodes[0]
}

/** A line that is being written is left for the next look. */
export function readBegun(witness: string): Begun[] {
  const lines = readFileSync(witness, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Begun)
}
