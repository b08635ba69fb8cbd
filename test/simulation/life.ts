import type { JobOptions, Scheduler } from '../../src/index.ts'
import type { CatchUpOrder } from './judge-catch-up-order.ts'
import type { Link } from './network.ts'
import type { NodeClock } from './node-clock.ts'
import { type Outage, overlapping } from './outages.ts'

/** The options of a job on one node, from some moment on. */
export interface Version {
  readonly options: JobOptions
  readonly from: number
}

/** A process of the cluster, from its start to its end, and what is known about it for the judges. */
export class Life {
  readonly node: string
  readonly bornAt: number
  readonly clock: NodeClock
  readonly link: Link
  scheduler: Scheduler | undefined
  /** When its scheduler began to stop. */
  stoppingAt = Number.POSITIVE_INFINITY
  /** When its scheduler had stopped. */
  stoppedAt = Number.POSITIVE_INFINITY
  /** When its process ended. */
  diedAt = Number.POSITIVE_INFINITY
  /** When its wall clock was set. */
  readonly jumps: number[] = []
  /** Pauses, cuts and the like. */
  readonly outages: Outage[] = []
  /** By job: what made its last run start. */
  readonly kinds = new Map<string, string>()
  /** By job: the latest tick that ran here. */
  readonly latest = new Map<string, number>()
  /** By job: when its last run ended here. */
  readonly ended = new Map<string, number>()
  readonly versions = new Map<string, Version[]>()
  /** By job that catches up: what it has gone after, in which order. */
  readonly turns = new Map<string, CatchUpOrder>()
  /** By owner: how many times it has requested the lock. */
  readonly requests = new Map<string, number>()
  /** By owner: when it last sent a renewal. */
  readonly renewed = new Map<string, number>()
  /** By owner: when it was first told of a grant, and when it last sent a release. */
  readonly granted = new Map<string, number>()
  readonly releasing = new Map<string, number>()

  constructor(node: string, bornAt: number, clock: NodeClock, link: Link) {
    this.node = node
    this.bornAt = bornAt
    this.clock = clock
    this.link = link
  }

  /** The options with which it had a job at a moment. */
  optionsAt(job: string, at: number): JobOptions | undefined {
    return this.versions.get(job)?.findLast(({ from }) => from <= at)?.options
  }

  /** Whether the job was registered anew in this span. */
  reloaded(job: string, from: number, until: number): boolean {
    return this.versions.get(job)?.some((each, index) => index > 0 && each.from >= from && each.from <= until) ?? false
  }

  /** What kept it from its work at some moment of a span. */
  troubleWithin(from: number, until: number): Outage | undefined {
    return overlapping(this.outages, from, until) ?? overlapping(this.link.troubles, from, until)
  }

  /** Whether it was paused, or its machine asleep, at some moment of a span. */
  stoodStillWithin(from: number, until: number): boolean {
    const standing = this.outages.filter(({ why }) => why === 'pause' || why === 'suspend')
    return overlapping(standing, from, until) !== undefined
  }

  /** Whether its machine slept at some moment of a span. */
  sleptWithin(from: number, until: number): boolean {
    return (
      overlapping(
        this.outages.filter(({ why }) => why === 'suspend'),
        from,
        until,
      ) !== undefined
    )
  }

  /** Ticks that it says it has dropped. */
  readonly dropped: { readonly job: string; readonly first: number; readonly last: number }[] = []
  droppedWhileCatchingUp(job: string, tick: number): boolean {
    return this.dropped.some((each) => each.job === job && each.first <= tick && each.last >= tick)
  }

  /** Whether it was up, and not about to stop, all through a span. */
  upThrough(from: number, until: number): boolean {
    return this.bornAt <= from && this.diedAt >= until && this.stoppingAt >= until
  }
}
