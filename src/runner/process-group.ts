import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { setDeadline, systemClock } from '../clock.ts'
import { isGroupAlive, sendTo } from './group-members.ts'
import { readyGuard, unwatchGroup, watchGroup } from './guard.ts'

export interface GroupOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** From SIGTERM to SIGKILL, in ms. */
  readonly killAfter: number
  /** Whether the command has this process' input and output, or its output is read here. */
  readonly stdio: 'inherit' | 'pipe'
}

/** How a command ended: one of `code` and `signal`. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** True when the command, or a child of it, still ran some seconds after SIGKILL. It is not waited for any longer. */
  readonly unkillable: boolean
}

const isWindows = process.platform === 'win32'

/** How long output is waited for after the command has ended: what it left in the background may hold it open for ever. */
const OUTPUT_GRACE = 1_000
/** How long the end of a group is waited for after SIGKILL. A process that the kernel does not end by then may never end. In ms. */
const GIVE_UP_AFTER = 5_000
const FIRST_LOOK = 20
const LONGEST_LOOK = 500

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
  #giveUp: () => void = () => {}
  readonly #givenUp = new Promise<Ended>((resolve) => {
    this.#giveUp = () => resolve({ code: null, signal: 'SIGKILL', unkillable: true })
  })
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
    setDeadline(systemClock, this.#endBy + GIVE_UP_AFTER, () => this.#giveUp(), { background: true })
  }

  async #watch(): Promise<Ended> {
    const { child } = this
    const exited = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve({ code, signal, unkillable: false }))
    })
    const { pid } = child
    if (pid === undefined) return exited
    groups.add(this)
    watchGroup(pid)
    try {
      return await Promise.race([this.#allEnded(pid, exited), this.#givenUp])
    } finally {
      this.#over = true
      groups.delete(this)
      unwatchGroup(pid)
    }
  }

  /**
   * A command that was told to end has ended when all its children have: they have the rest of its grace. What a command that ended by itself left in the
   * background stays, as under cron.
   */
  async #allEnded(pid: number, exited: Promise<Ended>): Promise<Ended> {
    const how = await exited
    await this.#outputEnded()
    for (let pause = FIRST_LOOK; this.#endBy !== undefined && isGroupAlive(pid); ) {
      if (this.#over) break
      if (systemClock.monotonic() >= this.#endBy) sendTo(-pid, 'SIGKILL')
      await sleep(pause)
      pause = Math.min(pause * 2, LONGEST_LOOK)
    }
    return how
  }

  #outputEnded(): Promise<void> {
    const open = [this.child.stdout, this.child.stderr].filter((stream) => stream && !stream.closed)
    const closed = open.map((stream) => new Promise((resolve) => stream?.once('close', resolve)))
    const given = new AbortController()
    const over = sleep(OUTPUT_GRACE, undefined, { signal: given.signal }).catch(() => {})
    return Promise.race([Promise.all(closed).then(() => {}), over]).finally(() => given.abort())
  }
}
