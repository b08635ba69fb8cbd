/* Three processes of the built package over one SQLite file, the first of which serves the page. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const TOKEN = 'a token of the tests, not of anybody'

const program = fileURLToPath(new URL('./node.ts', import.meta.url))

export class WatchedCluster implements AsyncDisposable {
  readonly file: string
  url = ''
  readonly #folder = mkdtempSync(join(tmpdir(), 'ticklock-dashboard-'))
  readonly #nodes = new Map<string, ChildProcess>()

  constructor() {
    this.file = join(this.#folder, 'locks.sqlite')
  }

  /** Starts a node; the one with the token serves the page. Resolves when it is ready. */
  async start(label: string, ...serving: string[]): Promise<void> {
    const args = ['--import', 'tsx', program, this.file, label, ...serving]
    const node = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#nodes.set(label, node)
    const lines = createInterface({ input: node.stdout })
    const ended = once(node, 'exit').then(() => Promise.reject(new Error(`${label} ended before it was ready`)))
    const ready = (async () => {
      for await (const line of lines) if (line.startsWith('ready')) return line.slice(6)
      return ''
    })()
    const url = await Promise.race([ready, ended])
    ended.catch(() => {})
    if (url) this.url = url
  }

  /** Kills a node as a power cut would. */
  async kill(label: string): Promise<void> {
    const node = this.#nodes.get(label)
    this.#nodes.delete(label)
    if (!node || node.exitCode !== null) return
    node.kill('SIGKILL')
    await once(node, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((label) => this.kill(label)))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
