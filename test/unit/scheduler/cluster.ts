import { expect, onTestFinished } from 'vitest'
import { type MemoryProvider, memory } from '../../../providers/memory/memory.ts'
import type { LockProvider } from '../../../src/provider/contract.ts'
import type { SchedulerEvents } from '../../../src/scheduler/events.ts'
import type { JobWork } from '../../../src/scheduler/job.ts'
import type { JobOptions } from '../../../src/scheduler/job-options.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import type { SchedulerOptions } from '../../../src/scheduler/scheduler-options.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { FaultyStore } from './faulty-store.ts'
import { NodeClock } from './node-clock.ts'

/** Midnight, at which jobs of any even interval tick. */
export const MIDNIGHT = Date.UTC(2024, 0, 1)
export const SECOND = 1_000
export const MINUTE = 60_000
export const HOUR = 3_600_000

type EventName = keyof SchedulerEvents
export type Seen = { [Name in EventName]: { readonly name: Name } & SchedulerEvents[Name] }[EventName]

/** One node: a scheduler with clocks and a way to the store of its own, and all that it tells. */
export class Node {
  readonly clock: NodeClock
  readonly store: FaultyStore
  readonly scheduler: Scheduler
  readonly seen: Seen[] = []

  constructor(time: ManualClock, store: LockProvider, label: string, options: NodeOptions) {
    const { wallAhead = 0, ...rest } = options
    this.clock = new NodeClock(time, wallAhead)
    this.store = new FaultyStore(store, time)
    const { clock } = this
    this.scheduler = new Scheduler({ provider: this.store, clock, random: () => 0.5, label, logger: false, ...rest })
    this.scheduler.onAny((name, event) => this.seen.push({ name, ...event } as Seen))
  }

  /** The events of these names, in order. */
  events<Name extends EventName>(...names: Name[]): Extract<Seen, { readonly name: Name }>[] {
    return this.seen.filter((event) => (names as string[]).includes(event.name)) as never
  }

  /** The names and reasons of all that was told since the last call. */
  story(): string[] {
    return this.seen.splice(0).map((event) => event.name + ('reason' in event ? ` ${event.reason}` : ''))
  }

  /** The ticks that such events are about, as seconds since midnight. */
  ticksOf(name: 'tick' | 'skipped' | 'missed' | 'started'): number[] {
    return this.events(name).map((event) => (event.scheduledAt.getTime() - MIDNIGHT) / SECOND)
  }
}

export type NodeOptions = Partial<SchedulerOptions> & {
  /** By how many ms its wall clock is ahead. */
  readonly wallAhead?: number
}

export interface Ran {
  readonly node: string
  readonly job: string
  readonly kind: string
  /** As seconds since midnight. */
  readonly tick: number
  /** By the store's clock, as seconds since midnight. */
  readonly at: number
  readonly token: number | undefined
}

/** Several nodes over one store, in one process, half a second before midnight. */
export class Cluster {
  readonly time = new ManualClock({ now: MIDNIGHT - 500 })
  readonly store: MemoryProvider = memory({ now: () => this.time.now() })
  readonly nodes: Node[] = []
  readonly ran: Ran[] = []

  constructor() {
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    onTestFinished(async () => {
      await this.stop()
      process.off('unhandledRejection', listen)
      expect(unhandled).toEqual([])
    })
  }

  node(options: NodeOptions = {}): Node {
    const node = new Node(this.time, this.store, `node${this.nodes.length + 1}`, options)
    this.nodes.push(node)
    return node
  }

  /** Registers a job on nodes (default: all) that notes its runs and does the work, if there is one. */
  job(options: Partial<JobOptions>, work: JobWork = () => {}, nodes: readonly Node[] = this.nodes): void {
    for (const node of nodes) {
      node.scheduler.on('started', ({ job, kind, scheduledAt, fencingToken: token }) => {
        if (job !== (options.name ?? 'job')) return
        const tick = (scheduledAt.getTime() - MIDNIGHT) / SECOND
        this.ran.push({ node: `node${this.nodes.indexOf(node) + 1}`, job, kind, tick, at: this.now, token })
      })
      node.scheduler.job({ name: 'job', lockAtMostFor: '1m', ...options } as JobOptions, work)
    }
  }

  /** The store's clock, as seconds since midnight. */
  get now(): number {
    return (this.time.now() - MIDNIGHT) / SECOND
  }

  /** Lets time pass until the store's clock shows so many seconds after midnight. */
  async until(seconds: number): Promise<void> {
    await this.time.advance(MIDNIGHT + seconds * SECOND - this.time.now())
  }

  async start(...nodes: readonly Node[]): Promise<void> {
    for (const node of nodes.length > 0 ? nodes : this.nodes) {
      void node.scheduler.start()
      await this.time.settle()
    }
  }

  /** The ticks that ran, as seconds since midnight. */
  get ticks(): number[] {
    return this.ran.map(({ tick }) => tick)
  }

  async stop(): Promise<void> {
    const stopped = this.nodes.map((node) => node.scheduler.stop({ graceFor: 0 }))
    await this.time.advance(30 * SECOND)
    await Promise.all(stopped)
  }
}

/** Work that goes on until it is told to end. */
export class Work {
  readonly #ends: (() => void)[] = []
  readonly run = (): Promise<void> => new Promise((resolve) => this.#ends.push(resolve))

  get going(): number {
    return this.#ends.length
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
