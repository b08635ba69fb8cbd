import type { JobContext, Lock } from '../../src/index.ts'
import type { AcquireRequest, AcquireResult, LockProvider } from '../../src/provider/contract.ts'
import type { NodeClock } from './node-clock.ts'
import { MAX_DRIFT, type Scenario } from './scenario.ts'
import type { World } from './world.ts'

/** A run of a job, as it really was. */
export interface WitnessedRun {
  readonly job: string
  readonly tick: number
  readonly node: string
  readonly clock: NodeClock
  readonly lock: Lock | undefined
  readonly token: number
  readonly startedAt: number
  endedAt: number | undefined
}

export interface Violation {
  readonly rule: string
  readonly what: string
  /** True time since the start, in ms. */
  readonly at: number
}

/** Sees what really happens: what runs, and what the store grants. Judges it against the safety rules at every step. */
export class Witness {
  readonly runs: WitnessedRun[] = []
  readonly violations: Violation[] = []
  readonly #world: World
  readonly #scenario: Scenario
  readonly #byTick = new Map<string, WitnessedRun[]>()
  readonly #active = new Map<string, Set<WitnessedRun>>()
  readonly #lastToken = new Map<string, { token: number; owner: string }>()
  /** By job and tick: when it was granted last. */
  readonly granted = new Map<string, number>()
  /** By job and tick: released, so that its end was told to the store. */
  readonly #done = new Set<string>()
  /** By job: the times from grant to end of lease in the store, for what may excuse a tick. */
  readonly leases = new Map<string, { from: number; until: number }[]>()

  constructor(world: World, scenario: Scenario) {
    this.#world = world
    this.#scenario = scenario
  }

  /** The store with its grants watched. */
  over(store: LockProvider): LockProvider {
    return {
      ...store,
      acquire: async (requests) => {
        const results = await store.acquire(requests)
        for (const [index, result] of results.entries()) this.#answered(requests[index] as AcquireRequest, result)
        return results
      },
      extend: async (requests) => {
        const leases = await store.extend(requests)
        for (const lease of leases) if (lease) this.#leased(lease.name, lease.lockUntil)
        return leases
      },
      release: async (requests) => {
        const freed = await store.release(requests)
        for (const [index, { name, tick }] of requests.entries()) {
          if (freed[index] && tick !== undefined) this.#done.add(`${name} ${tick}`)
        }
        return freed
      },
    }
  }

  began(context: JobContext, kind: string, node: string, clock: NodeClock): WitnessedRun {
    const { name: job, lock, fencingToken: token = 0 } = context
    const tick = +context.scheduledAt
    const run = { job, tick, node, clock, lock, token, startedAt: this.#world.now, endedAt: undefined }
    if (lock && !lock.held) this.#violate('lost is known locally', `${node} began ${job} with a lease that had ended`)
    if (kind !== 'trigger') this.#judgeTick(run)
    this.#judgeOverlap(job, token, run)
    this.runs.push(run)
    const active = this.#active.get(job) ?? new Set()
    this.#active.set(job, active.add(run))
    return run
  }

  ended(run: WitnessedRun): void {
    run.endedAt = this.#world.now
    this.#active.get(run.job)?.delete(run)
  }

  #answered(request: AcquireRequest, result: AcquireResult): void {
    if (!result.granted) return
    const { name, fencingToken, owner, lockUntil } = result.lease
    const last = this.#lastToken.get(name)
    if (last && last.owner !== owner && fencingToken <= last.token) {
      this.#violate('fencing', `${name} was granted with token ${fencingToken} after ${last.token}`)
    }
    if (last && last.owner === owner && fencingToken < last.token)
      this.#violate('fencing', `${name}: a token went back`)
    if (last?.owner !== owner) this.#judgeOverlap(name, fencingToken, undefined)
    this.#lastToken.set(name, { token: fencingToken, owner })
    if (request.tick !== undefined) this.granted.set(`${name} ${request.tick}`, this.#world.now)
    this.#leased(name, lockUntil)
  }

  #leased(name: string, until: number): void {
    const leases = this.leases.get(name) ?? []
    this.leases.set(name, leases)
    leases.push({ from: this.#world.now, until })
  }

  /** Once per tick; or once more, with a higher token, after the lease of the one before had ended without release. */
  #judgeTick(run: WitnessedRun): void {
    const key = `${run.job} ${run.tick}`
    const before = this.#byTick.get(key) ?? []
    this.#byTick.set(key, [...before, run])
    const last = before.at(-1)
    if (!last) return
    const options = this.#scenario.jobs.find(({ options }) => options.name === run.job)?.options
    const what = `${run.job} at ${new Date(run.tick).toISOString()} ran on ${last.node} and on ${run.node}`
    if (options?.onCrash !== 'rerun') this.#violate('once per tick', what)
    else if (this.#done.has(key)) this.#violate('once per tick', `${what}, though it had ended and was released`)
    // A lock that was taken away by hand while its grant was still on the way: both run, and the late one has the lower token.
    else if (run.token <= last.token && !this.#forced.has(`${run.job} ${run.token}`)) {
      this.#violate('fencing', `${what}, with no higher token`)
    }
  }

  /** Nobody who may rely on a lease is running while another is granted the name, but for the drift of the clocks during one lease. */
  #judgeOverlap(job: string, token: number, run: WitnessedRun | undefined): void {
    for (const other of this.#active.get(job) ?? []) {
      if (other === run || other.clock.dead || other.clock.paused || other.lock === undefined || other.token >= token)
        continue
      const slack = other.lock.lockAtMostFor * MAX_DRIFT * 2 + 1
      if (other.lock.remaining > slack && !this.#forced.has(`${job} ${other.token}`)) {
        this.#violate(
          'one holder',
          `${job} was granted while ${other.node} could rely on it for ${other.lock.remaining} ms more`,
        )
      }
    }
  }

  /** Locks that were taken away by hand: their holders can't know before they next ask. */
  readonly #forced = new Set<string>()
  forced(job: string): void {
    for (const run of this.#active.get(job) ?? []) this.#forced.add(`${job} ${run.token}`)
    const last = this.#lastToken.get(job)
    if (last) this.#forced.add(`${job} ${last.token}`)
  }

  violate(rule: string, what: string, at: number): void {
    this.violations.push({ rule, what, at: at - this.#scenario.start })
  }

  #violate(rule: string, what: string): void {
    this.violate(rule, what, this.#world.now)
  }
}
