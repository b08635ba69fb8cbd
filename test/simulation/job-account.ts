import { parseDuration } from '../../src/duration.ts'
import type { JobOptions } from '../../src/index.ts'
import type { Life } from './life.ts'
import type { Outage } from './outages.ts'
import type { WitnessedRun } from './run.ts'

/** What the store should know about a name, by what it was seen to answer. */
export interface Holding {
  readonly owner: string
  readonly token: number
  readonly grantedAt: number
  readonly until: number
  readonly released: boolean
  /** Taken away by hand: its holder can't know. */
  readonly forced: boolean
  readonly lastTick: number
  readonly done: boolean
}

export const NOBODY: Holding = {
  owner: '',
  token: 0,
  grantedAt: 0,
  until: 0,
  released: true,
  forced: false,
  lastTick: Number.NEGATIVE_INFINITY,
  done: false,
}

export interface TickGrant {
  readonly owner: string
  readonly life: Life
  readonly at: number
}

/** What a node was told of a tick, as bits. */
export const REPORTED: Readonly<Record<string, number>> = {
  granted: 1,
  held: 2,
  'tick-taken': 4,
  'clock-ahead': 8,
  running: 16,
}

/** All that was seen about one tick of one job. */
export interface TickAccount {
  readonly time: number
  readonly runs: WitnessedRun[]
  readonly grants: TickGrant[]
  /** The lives that asked the store for it, or skipped it because the job ran there, and when they first did. */
  readonly dealtWith: Map<Life, number>
  /** The lives that were told, in time, that the store refuses it. */
  readonly told: Map<Life, number>
  /** The lives that were answered in time for whatever they do next. */
  readonly answered: Set<Life>
  /** By life: the owners as which it has asked, on its time, to catch up, or to take over. */
  readonly askers: Map<Life, Set<string>>
  /** The reasons for which the store refused it, and `'running'`. */
  readonly reasons: Set<string>
  /** The lives that were refused while it was being run elsewhere, and when. */
  readonly watchers: Map<Life, number>
  /** When its last lease ended or will end, unless it was released. */
  leaseUntil: number
  /** When the store first decided a request for it. */
  decidedAt: number | undefined
  /** Its end was told to the store. */
  done: boolean
}

/** All that was seen about one job. */
export class JobAccount {
  readonly name: string
  holding: Holding = NOBODY
  /** By owner: runs that began. */
  readonly runs = new Map<string, WitnessedRun>()
  readonly active = new Set<WitnessedRun>()
  /** Owners whose locks were taken away by hand. */
  readonly forced = new Set<string>()
  /** Owners whose grants a failover has forgotten. */
  readonly forgotten = new Set<string>()
  /** What was known at earlier times, for failovers. */
  readonly history: { readonly at: number; readonly holding: Holding }[] = []
  readonly ticks = new Map<number, TickAccount>()
  highestToken = 0
  /** When its record was locked by a stranger, or unreadable. */
  readonly outages: Outage[] = []
  /** When somebody was refused since the lock was held. */
  readonly heldAt: number[] = []
  /** The shortest `lockAtLeastFor` that the job has at some time, in ms. */
  readonly leastFor: number
  readonly mayRerun: boolean
  readonly mayRunOpen: boolean

  constructor(name: string, versions: readonly JobOptions[]) {
    this.name = name
    const least = versions.map(({ lockAtLeastFor = 0 }) => parseDuration(lockAtLeastFor, { option: 'lockAtLeastFor' }))
    this.leastFor = Math.min(...least)
    this.mayRerun = versions.some(({ onCrash }) => onCrash === 'rerun')
    this.mayRunOpen = versions.some(({ onStoreError }) => onStoreError === 'run')
  }

  /** Whether a later tick was granted until some moment. */
  overtakenBy(time: number, until: number): boolean {
    for (const tick of this.ticks.values())
      if (tick.time > time && tick.grants.some(({ at }) => at <= until)) return true
    return false
  }

  /** Whether an earlier tick was granted, some time. */
  grantedBefore(time: number): boolean {
    for (const tick of this.ticks.values()) if (tick.time < time && tick.grants.length > 0) return true
    return false
  }

  /** A node has asked for a tick, or skipped it because the job runs there. */
  dealWith(time: number, life: Life, now: number): TickAccount {
    const tick = this.tick(time)
    if (!tick.dealtWith.has(life)) tick.dealtWith.set(life, now)
    return tick
  }

  tick(time: number): TickAccount {
    const known = this.ticks.get(time)
    if (known) return known
    const file: TickAccount = {
      time,
      runs: [],
      grants: [],
      dealtWith: new Map(),
      told: new Map(),
      answered: new Set(),
      askers: new Map(),
      reasons: new Set(),
      watchers: new Map(),
      leaseUntil: 0,
      decidedAt: undefined,
      done: false,
    }
    this.ticks.set(time, file)
    return file
  }
}
