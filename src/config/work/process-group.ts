import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { setDeadline, systemClock } from '../../clock.ts'
import { readyGuard, unwatchGroup, watchGroup } from './guard.ts'

export interface GroupOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** From SIGTERM to SIGKILL, in ms. */
  readonly killAfter: number
  /** Whether the command has this process' input and output, or its output is read here. */
  readonly stdio: 'inherit' | 'pipe'
}

/** How a command ended: one of the two. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const isWindows = process.platform === 'win32'

/** How long output is waited for after the command has ended: what it left in the background may hold it open for ever. */
const OUTPUT_GRACE = 1_000
const LOOK_AGAIN = 20

const groups = new Set<ProcessGroup>()

/** Kills every group that still runs: for the moment before this process ends at once. */
export function killAllGroups(): void {
  for (const group of groups) group.signal('SIGKILL')
}

/** A command as a group of processes of its own, so that a signal reaches all its children, and none outlives this process. */
export class ProcessGroup {
  readonly child: ChildProcess
  /** Resolves when the command has ended, with all its children if it was told to; rejects when it could not be started. */
  readonly ended: Promise<Ended>
  readonly #killAfter: number
  #endBy: number | undefined
  #over = false

  constructor(command: readonly string[], { cwd, env, killAfter, stdio }: GroupOptions) {
    const [program = '', ...args] = command
    this.#killAfter = killAfter
    const input = stdio === 'inherit' ? 'inherit' : 'ignore'
    readyGuard()
    this.child = spawn(program, args, {
      cwd,
      env,
      detached: !isWindows,
      windowsHide: true,
      stdio: [input, stdio, stdio],
    })
    this.ended = this.#watch()
  }

  /** Sends a signal to the command and all its children. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.child
    if (pid === undefined || this.#over) return
    if (isWindows) spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).unref()
    else sendTo(-pid, signal)
  }

  /** Ends them all: SIGTERM, and after the grace SIGKILL for what still runs. */
  end(): void {
    if (this.#endBy !== undefined) return
    this.#endBy = systemClock.monotonic() + this.#killAfter
    this.signal('SIGTERM')
    setDeadline(systemClock, this.#endBy, () => this.signal('SIGKILL'), { background: true })
  }

  async #watch(): Promise<Ended> {
    const { child } = this
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    const { pid } = child
    if (pid === undefined) return ended
    groups.add(this)
    watchGroup(pid)
    try {
      const how = await ended
      await this.#outputEnded()
      // Told to end: all are. Ended by itself: what it left in the background stays, as under cron.
      if (this.#endBy !== undefined) await this.#allEnded(pid)
      return how
    } finally {
      this.#over = true
      groups.delete(this)
      unwatchGroup(pid)
    }
  }

  /** The command may have ended before its children: they have the rest of its grace. */
  async #allEnded(pid: number): Promise<void> {
    while (!isWindows && sendTo(-pid, 0)) {
      if (systemClock.monotonic() >= (this.#endBy ?? 0)) sendTo(-pid, 'SIGKILL')
      await sleep(LOOK_AGAIN)
    }
  }

  #outputEnded(): Promise<void> {
    const open = [this.child.stdout, this.child.stderr].filter((stream) => stream && !stream.closed)
    const closed = open.map((stream) => new Promise((resolve) => stream?.once('close', resolve)))
    const given = new AbortController()
    const over = sleep(OUTPUT_GRACE, undefined, { signal: given.signal }).catch(() => {})
    return Promise.race([Promise.all(closed).then(() => {}), over]).finally(() => given.abort())
  }
}

/** False when there is nobody to send it to. */
function sendTo(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal)
  } catch {
    return false
  }
}
