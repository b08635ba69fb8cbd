import type { JobContext, JobOptions } from '../../src/index.ts'
import type { Schedule } from '../../src/scheduler/plan/schedule.ts'
import { type Holding, JobAccount } from './job-account.ts'
import type { Life } from './life.ts'
import { clearParts, type Outage, overlapping } from './outages.ts'
import type { WitnessedRun } from './run.ts'
import { MAX_DRIFT, type Scenario } from './scenario.ts'
import type { Poison } from './stores/index.ts'
import { judgeSignalLater, NOTICED } from './suspensions.ts'
import type { World } from './world.ts'

export interface Violation {
  readonly rule: string
  readonly what: string
  /** True time since the start, in ms. */
  readonly at: number
}

/** How far a node that has just heard from the store may be off, in ms. */
export const TIMELY = 250
/** The share of what is left of a lease after which a renewal that failed is tried again, and how long one may take, in ms. */
export const RETRY_AFTER = 1 / 8
const RENEWING = 250
/** How long what a good answer told of the store's clock is taken to hold, and a jump of the wall clock to be followed, in ms. */
const FRESH = 60_000
/** A tick may be asked for so long, in ms. */
const LONGEST_GRACE = 31_000
export const JUMP_FOLLOWED = 40_000
/** No failover forgets more, in ms. */
const LONGEST_FORGOTTEN = 60_000

/** Sees what really happens: what runs, and what the store grants. Judges it against the safety rules at every step. */
export class Witness {
  readonly violations: Violation[] = []
  readonly files = new Map<string, JobAccount>()
  /** By key. */
  readonly schedules = new Map<string, Schedule>()
  /** By job and schedule: when any node first planned it. */
  readonly plannedFirst = new Map<string, number>()
  /** Ticks that ran once more because the store had forgotten their grant, as it documents. */
  forgottenRuns = 0
  runs = 0
  /** When the store was down or slow. */
  storeOutages: readonly Outage[] = []
  readonly #world: World
  readonly #scenario: Scenario
  readonly #trace: ((line: string) => void) | undefined
  readonly #aliases = new Map<string, string>()
  readonly #remembers: boolean

  constructor(world: World, scenario: Scenario, trace?: (line: string) => void) {
    this.#world = world
    this.#scenario = scenario
    this.#trace = trace
    this.#remembers = scenario.faults.some(({ kind }) => kind === 'store-failover')
    const versions = new Map<string, JobOptions[]>(scenario.jobs.map(({ options }) => [options.name, [options]]))
    for (const fault of scenario.faults) if (fault.kind === 'reload') versions.get(fault.job)?.push(fault.options)
    for (const [name, all] of versions) this.files.set(name, new JobAccount(name, all))
  }

  get now(): number {
    return this.#world.now
  }

  /** Looks again after so many ms of true time. */
  later(ms: number, look: () => void): void {
    this.#world.after(ms, look)
  }

  file(name: string): JobAccount {
    const file = this.files.get(name)
    if (!file) throw new Error(`there is no job ${name}`)
    return file
  }

  began(context: JobContext, kind: string, life: Life, watchesSignal: boolean): WitnessedRun {
    const { name: job, lock, fencingToken: token = 0 } = context
    const file = this.file(job)
    const signal = watchesSignal ? context.signal : undefined
    const leaseUntil = file.holding.owner === lock?.owner ? file.holding.until : 0
    const tick = +context.scheduledAt
    const run: WitnessedRun = {
      job,
      kind,
      tick,
      life,
      lock,
      signal,
      token,
      startedAt: this.now,
      endedAt: undefined,
      leaseUntil,
      heardUntil: leaseUntil,
    }
    this.tell(
      () =>
        `${life.node} runs ${job} at ${new Date(tick).toISOString().slice(11, 23)} (${kind}, token ${token || 'none'})`,
    )
    this.runs++
    if (kind !== 'trigger') life.latest.set(job, Math.max(tick, life.latest.get(job) ?? 0))
    if (life.stoppedAt <= this.now) this.violate('stop', `${life.node} began ${job} after it had stopped`)
    if (kind !== 'trigger' && tick > life.stoppingAt + TIMELY)
      this.violate('stop', `${life.node} began a tick of ${job} that was due after it had begun to stop`)
    for (const other of file.active)
      if (other.life === life) this.violate('still running here', `${life.node} began ${job}, which still runs there`)
    if (lock) this.#judgeLease(file, run, lock.held)
    else this.#judgeOpen(file, run)
    if (kind !== 'trigger') this.#judgeTick(file, run)
    if (lock) file.runs.set(lock.owner, run)
    if (!this.#excused(file, run)) this.judgeOthers(file, lock?.owner)
    file.active.add(run)
    return run
  }

  /** To be called in the turn in which the work ends. */
  ended(run: WitnessedRun): void {
    run.endedAt = this.now
    run.life.ended.set(run.job, this.now)
    this.file(run.job).active.delete(run)
    if (!run.life.clock.paused) this.judgeLoss(run)
    this.judgeKeepAlive(run)
    this.tell(() => `${run.life.node} ends ${run.job}`)
  }

  /** What the account of a name is from now on. */
  hold(file: JobAccount, holding: Holding): void {
    if (this.#remembers) {
      const { history } = file
      while (history[1] && history[1].at < this.now - LONGEST_FORGOTTEN) history.shift()
      history.push({ at: this.now, holding: file.holding })
    }
    file.holding = holding
  }

  forced(name: string): void {
    const file = this.file(name)
    if (file.holding.until <= this.now) return
    file.forced.add(file.holding.owner)
    this.hold(file, { ...file.holding, until: this.now, forced: true })
  }

  /** Somebody has reset the record of a name, one value of which could not be read and is lost. */
  repaired(name: string, value: Poison): void {
    const file = this.file(name)
    const { holding } = file
    if (value === 'lockUntil') this.forced(name)
    else if (value === 'lockedBy') {
      file.forced.add(holding.owner)
      this.hold(file, { ...holding, owner: '', forced: true })
    } else {
      const tick = file.ticks.get(holding.lastTick)
      if (tick) tick.done = true
      this.hold(file, { ...holding, lastTick: Math.floor(this.now), done: true })
    }
  }

  /** The store has forgotten what it did since then. */
  forgot(since: number): void {
    for (const file of this.files.values()) {
      const { history } = file
      const index = history.findIndex(({ at }) => at > since)
      const before = history[index]
      if (!before) continue
      for (const [, tick] of file.ticks)
        for (const grant of tick.grants) if (grant.at > since) file.forgotten.add(grant.owner)
      for (const { holding } of history) if (holding.grantedAt > since) file.forgotten.add(holding.owner)
      if (file.holding.grantedAt > since) file.forgotten.add(file.holding.owner)
      // Whoever had extended or released since then may find his lease over, or still there.
      file.forgotten.add(file.holding.owner)
      file.forgotten.add(before.holding.owner)
      // Another failover soon after finds nothing of what this one forgot.
      history.length = index
      file.holding = before.holding
    }
  }

  storeTroubleWithin(from: number, until: number): Outage | undefined {
    return overlapping(this.storeOutages, from, until)
  }

  /** No lease that is over in the store is relied on, but for the drift of the clocks during it. */
  #judgeLease(file: JobAccount, run: WitnessedRun, held: boolean): void {
    const { holding, name } = file
    const { life, lock } = run
    if (!held) this.violate('lost is known locally', `${life.node} began ${name} with a lease that it knows to be over`)
    if (!lock || this.#excused(file, run)) return
    if (holding.owner !== lock.owner)
      this.violate('lost is known locally', `${life.node} began ${name} with a lease that another has taken over`)
    else if (holding.until < this.now - slackOf(run))
      this.violate(
        'lost is known locally',
        `${life.node} began ${name} ${this.now - holding.until} ms after its lease had ended`,
      )
  }

  /** Without a lock only where the job wants that, and only while the store could not answer. */
  #judgeOpen(file: JobAccount, { life, tick }: WitnessedRun): void {
    const tickFile = file.tick(tick)
    const askedOnce = tickFile.askers.get(life)?.size === 1
    if (!file.mayRunOpen) this.violate('one holder', `${life.node} ran ${file.name} without its lock`)
    else if (tickFile.runs.some((run) => run.life === life))
      this.violate('one holder', `${life.node} ran a tick of ${file.name} once more without its lock`)
    // A job that catches up, or takes over, may ask twice, and be answered once.
    // After a pause the end of the grace may be seen before an answer that came meanwhile.
    else if (askedOnce && tickFile.answered.has(life) && !overlapping(life.outages, tick, this.now))
      this.violate('one holder', `${life.node} ran ${file.name} without its lock, though the store had answered`)
  }

  /** Once per tick; or once more, with a higher token, after the lease of the one before had ended without release. Never before its time. */
  #judgeTick(file: JobAccount, run: WitnessedRun): void {
    const tickFile = file.tick(run.tick)
    const last = tickFile.runs.findLast(({ lock }) => lock)
    tickFile.runs.push(run)
    if (this.knowsTime(run.life) && run.tick > this.now + TIMELY)
      this.violate('clock-ahead', `${run.life.node} ran ${file.name} ${run.tick - this.now} ms before its time`)
    if (!last || !run.lock) return
    const what = `${file.name} at ${new Date(run.tick).toISOString()} ran on ${last.life.node} and on ${run.life.node}`
    if (file.forgotten.has(last.lock?.owner ?? '')) this.forgottenRuns++
    else if (!file.mayRerun) this.violate('once per tick', what)
    // A lock that was taken away by hand while its grant was still on the way: both run, and the late one has the lower token.
    else if (run.token <= last.token && !this.#excused(file, run))
      this.violate('fencing', `${what}, with no higher token`)
    else this.#judgeKind(run, what)
  }

  /** A tick that was taken over is reported as a rerun. Only a repeated request can't tell. */
  #judgeKind({ kind, life, lock }: WitnessedRun, what: string): void {
    if (kind !== 'rerun' && life.requests.get(lock?.owner ?? '') === 1)
      this.violate('kind', `${what}, reported as ${kind}`)
  }

  /** Whether a node must know what time it is by the store's clock, and is after no tick any more that it planned before it did. */
  knowsTime({ link }: Life): boolean {
    const { knewTimeAt, knowsTimeSince } = link
    if (knewTimeAt === undefined || knowsTimeSince === undefined) return false
    return this.now - knewTimeAt < FRESH && this.now - knowsTimeSince > LONGEST_GRACE
  }

  /** Nobody who may rely on a lease is running while another is granted the name, but for the drift of the clocks during one lease. */
  judgeOthers(file: JobAccount, owner: string | undefined): void {
    for (const run of file.active) {
      const { lock, life } = run
      if (!lock || lock.owner === owner || owner === undefined || life.clock.dead || life.clock.paused) continue
      if (life.sleptWithin(this.now - NOTICED, this.now) || !lock.held) continue
      if (lock.remaining > slackOf(run) && !this.#excused(file, run))
        this.violate(
          'one holder',
          `${file.name} was granted while ${life.node} could rely on it for ${lock.remaining} ms more`,
        )
    }
  }

  /** A lease that is over is known to be, and the signal has aborted. */
  judgeLoss(run: WitnessedRun): void {
    const { lock, life, signal, job } = run
    if (!lock || this.now <= run.leaseUntil + slackOf(run) || this.#excused(this.file(job), run)) return
    if (lock.held) this.violate('lost is known locally', `${life.node} relies on ${job} after its lease has ended`)
    else if (life.sleptWithin(run.startedAt, this.now)) judgeSignalLater(this, run)
    else if (signal && !signal.aborted && !this.#hasJustWokenUp(life))
      this.violate(
        'lost is known locally',
        `the signal of ${job} on ${life.node} has not aborted though its lease is over`,
      )
  }

  /** What was due while a process stood still is done in the order in which it was due: the work may end before its lease is seen to have ended. */
  #hasJustWokenUp(life: Life): boolean {
    return life.outages.some(({ why, until }) => why === 'pause' && until <= this.now && until > this.now - 1)
  }

  /**
   * A lease that is kept alive is not lost, unless something hinders its node from asking, or the store from answering, until its end. After a
   * renewal that failed the next one comes when an eighth of what is left has passed.
   */
  judgeKeepAlive(run: WitnessedRun): void {
    const { lock, life, heardUntil: leaseUntil, job } = run
    if (!lock || lock.held || !life.optionsAt(job, run.startedAt)?.keepAlive || leaseUntil > this.now) return
    if (this.#excused(this.file(job), run) || lock.lockAtMostFor < 200) return
    // After a jump of the wall clock, or a suspension, one failure to confirm the lease is its end.
    if (life.jumps.some((at) => at >= run.startedAt)) return
    const renews = Math.max(leaseUntil - (lock.lockAtMostFor * 2) / 3, run.startedAt)
    const hindrances = [...this.storeOutages, ...this.file(job).outages, ...life.outages, ...life.link.troubles]
    for (const clear of clearParts(hindrances, renews, leaseUntil)) {
      const enough = (leaseUntil - clear.from) * RETRY_AFTER + RENEWING
      if (clear.until - clear.from < enough) continue
      this.violate('keep-alive', `${life.node} lost ${job}, which it should have kept alive`)
      return
    }
  }

  /** A lock that was taken away by hand, or that the store has forgotten: its holder can't know before it next asks. */
  #excused(file: JobAccount, { lock }: WitnessedRun): boolean {
    const owner = lock?.owner ?? ''
    return file.forced.has(owner) || file.forgotten.has(owner)
  }

  /** How an owner is called in the trace: owners are random, and a replay is the same to the letter. */
  alias(owner: string): string {
    const known = this.#aliases.get(owner)
    if (known) return known
    const alias = `o${this.#aliases.size + 1}`
    this.#aliases.set(owner, alias)
    return alias
  }

  tell(line: () => string): void {
    this.#trace?.(`${((this.now - this.#scenario.start) / 1000).toFixed(4).padStart(9)} ${line()}`)
  }

  violate(rule: string, what: string, at = this.now): void {
    this.violations.push({ rule, what, at: at - this.#scenario.start })
    this.tell(() => `BROKEN: ${rule}: ${what}`)
  }
}

/** How far the clocks of store and node drift apart during a lease, and the whole milliseconds of timers and stores. */
export const slackOf = ({ lock }: WitnessedRun): number => (lock?.lockAtMostFor ?? 0) * MAX_DRIFT * 2 + 3
