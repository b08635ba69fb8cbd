import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Witnessed } from '../../examples/demo/verdict.ts'

/** Something that a node told. */
export interface Told {
  readonly node: string
  readonly event: string
  readonly details:
    | {
        readonly job?: string
        readonly kind?: string
        readonly reason?: string
        readonly heldBy?: string
        /** As ISO strings, since they come as JSON. */
        readonly scheduledAt?: string
        readonly until?: string
      }
    | undefined
}

/** Real processes of the built package over one store, with a witness file outside of it. */
export class Cluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ticklock-cluster-'))
  readonly told: Told[] = []
  readonly #witness = join(this.folder, 'witness.jsonl')
  readonly #nodes = new Map<string, ChildProcess>()
  readonly #listeners = new Set<(told: Told) => void>()
  /** Sets this cluster's jobs apart from those of others over the same store. */
  readonly #name = `cluster-${process.pid}-${Date.now()}`

  constructor() {
    writeFileSync(this.#witness, '')
  }

  /** Resolves when the node is ready. */
  start(label: string, kind: string, url: string): Promise<void> {
    const program = fileURLToPath(new URL('./node.ts', import.meta.url))
    const node = fork(program, [kind, url, label, this.#witness, this.#name], { execArgv: ['--import', 'tsx'] })
    this.#nodes.set(label, node)
    node.on('message', (message) => this.#hear({ ...(message as Told), node: label }))
    return new Promise((resolve, reject) => {
      node.once('exit', (code, signal) => reject(new Error(`${label} ended: ${code ?? signal}`)))
      node.on('message', (message) => (message as Told).event === 'ready' && resolve())
    })
  }

  /** Resolves with the first thing told from now on that matches. */
  next(matches: (told: Told) => boolean): Promise<Told> {
    return new Promise((resolve) => {
      const listener = (told: Told): void => {
        if (!matches(told)) return
        this.#listeners.delete(listener)
        resolve(told)
      }
      this.#listeners.add(listener)
    })
  }

  kill(label: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#nodes.get(label)?.kill(signal)
  }

  /** Drains and ends all nodes that still live. Answers their exit codes. */
  async stop(): Promise<(number | null)[]> {
    const alive = [...this.#nodes.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )
    return Promise.all(
      alive.map(
        (node) =>
          new Promise<number | null>((resolve) => {
            node.once('exit', resolve)
            node.send('stop')
          }),
      ),
    )
  }

  /** What the witness saw so far. */
  witnessed(): Witnessed[] {
    const lines = readFileSync(this.#witness, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as Witnessed)
  }

  /** Whether some node has reported that a tick was missed. */
  reportedMissed(job: string, tick: number): boolean {
    return this.told.some(({ event, details }) => {
      if (event !== 'missed' || !details?.scheduledAt || !details.job?.endsWith(`:${job}`)) return false
      const first = Date.parse(details.scheduledAt)
      return first <= tick && tick <= (details.until ? Date.parse(details.until) : first)
    })
  }

  /** Whether some node has reported that a tick was skipped, since one of these nodes held the lock for another tick. */
  reportedHeld(job: string, tick: number, holders: readonly string[]): boolean {
    return this.told.some(
      ({ event, details }) =>
        event === 'skipped' &&
        details?.job?.endsWith(`:${job}`) === true &&
        details.reason === 'held' &&
        Date.parse(details.scheduledAt ?? '') === tick &&
        holders.includes(details.heldBy ?? ''),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes.values()) node.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  #hear(told: Told): void {
    this.told.push(told)
    for (const listener of [...this.#listeners]) listener(told)
  }
}
