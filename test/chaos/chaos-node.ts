import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { environmentOf, type WrongClock } from './faketime.ts'
import type { ClockReading, NodeSettings, Order } from './node/settings.ts'
import type { WitnessFile } from './witness-file.ts'

const PROGRAM = fileURLToPath(new URL('./node/node.ts', import.meta.url))
/** What its speed and the precision of the library may make of a shift until it is asked for, in ms. */
const CLOCK_TOLERANCE = 1_000
/** Faults end sooner, and a busy machine starts a process in less. In ms. */
const READY_WITHIN = 60_000
/** Enough for a node, and little enough to be eaten up in seconds. */
const HEAP_MB = 80

export interface NodePlace extends Omit<NodeSettings, 'life'> {
  /** The node's name; its lives have a number behind it. */
  readonly label: string
  /** libfaketime, when clocks are to be wrong. */
  readonly faketime: string | undefined
}

/** One node of a cluster under chaos, over all its lives. */
export class ChaosNode {
  readonly label: string
  readonly #place: NodePlace
  readonly #control: WitnessFile
  #lives = 0
  #process: ChildProcess | undefined

  constructor(place: NodePlace, control: WitnessFile) {
    this.label = place.label
    this.#place = place
    this.#control = control
  }

  get alive(): boolean {
    return this.#process !== undefined
  }

  /** Begins a new life with that clock; resolves when its scheduler has started, or the life is over. */
  async start(clock: WrongClock): Promise<void> {
    const { label, faketime, ...settings } = this.#place
    const life = `${label}.${this.#lives++}`
    const node = fork(PROGRAM, [JSON.stringify({ ...settings, life } satisfies NodeSettings)], {
      execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP_MB}`],
      env: { ...process.env, ...(faketime && environmentOf(faketime, clock)) },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    const said: string[] = []
    node.stderr?.on('data', (bytes) => said.push(String(bytes)))
    this.#process = node
    const over = once(node, 'exit').then(([code, signal]) => {
      this.#process = undefined
      this.#control.write({ what: 'exited', who: life, how: String(signal ?? code) })
      // A node dies of what chaos does to it, and of nothing else.
      if (code !== null && code !== 0)
        console.error(`${life} ended with code ${code}: ${said.join('').slice(0, 2_000)}`)
    })
    const ready = once(node, 'message').then(([told]) => this.#checkClock(life, told as ClockReading, clock))
    await Promise.race([ready, over, this.#impatience(life, over)])
  }

  /** A node that never comes up is a finding, too: whatever kept it from the store is long over. */
  async #impatience(life: string, over: Promise<void>): Promise<void> {
    const ended = new AbortController()
    void over.then(() => ended.abort())
    await sleep(READY_WITHIN, undefined, { signal: ended.signal, ref: false }).catch(() => {})
    if (!ended.signal.aborted) throw new Error(`${life} was not ready within ${READY_WITHIN / 1_000} s`)
  }

  /** The shift of its wall clock must really hold in there, or the run would prove less than it says. */
  #checkClock(life: string, { wall, monotonic }: ClockReading, { ahead }: WrongClock): void {
    const wanted = this.#place.faketime ? ahead * 1_000 : 0
    const is = wall - (monotonic + this.#place.epoch)
    if (Math.abs(is - wanted) > CLOCK_TOLERANCE) {
      throw new Error(`the wall clock of ${life} is ahead by ${is} ms, and should be by ${wanted} ms`)
    }
  }

  /** Resolves when a killed process is gone. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const node = this.#process
    if (!node) return
    const over = once(node, 'exit')
    node.kill(signal)
    if (signal === 'SIGKILL') await over
  }

  tell(order: Order): void {
    if (this.#process?.connected) this.#process.send(order, () => {})
  }

  /** Resolves when this life is over. */
  async ended(): Promise<void> {
    if (this.#process) await once(this.#process, 'exit')
  }

  /** Drains it; kills it when it does not end. */
  async stop(): Promise<void> {
    const node = this.#process
    if (!node) return
    const impatience = setTimeout(() => node.kill('SIGKILL'), 20_000)
    this.tell({ order: 'stop' })
    await this.ended()
    clearTimeout(impatience)
  }
}
