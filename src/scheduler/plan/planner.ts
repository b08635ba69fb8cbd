import { type Clock, LONGEST_TIMER, type Timer } from '../../clock.ts'
import type { StoreClock } from '../clock/store-clock.ts'
import type { Job } from '../job.ts'
import { Heap } from './heap.ts'
import type { Schedule } from './schedule.ts'

/** The jobs that share a schedule, and the tick they wait for. */
interface Group {
  readonly schedule: Schedule
  readonly jobs: Set<Job>
  next: number
}

/** A tick that is due, of all jobs with this schedule. */
export interface DueTick {
  readonly jobs: ReadonlySet<Job>
  readonly time: number
  /** The tick after it; this one must not be requested any more from then on. */
  readonly next: number
  /** Ticks in a row that passed before this one without having been due on time, because this process was late: first and last. */
  readonly missed: { readonly first: number; readonly last: number } | undefined
}

export interface PlannerOptions {
  readonly clock: Clock
  readonly time: StoreClock
  /** A tick is due. Called for all that are due now in one turn, so that what they ask goes out as one batch. */
  onDue(due: DueTick): void
  /**
   * The timer fired, at least every 30 s. If the time may be stale, it is to be requested, and {@link
   * Planner.clockChanged} called when it isn't any more.
   */
  onWake(): void
  /** The schedule's next tick is not later than its last: its jobs are not planned any more. */
  onStuck(jobs: ReadonlySet<Job>, error: Error): void
}

/** Re-arm the timer when the offset of the store's clock moved this many ms. */
const REARM_AFTER = 10
/** Plan all ticks again when it moved this many ms. */
const REPLAN_AFTER = 500
/** So many entries without jobs may stay in the heap in any case. */
const KEPT_EMPTY = 32

/** Plans ticks: one heap of the next tick of each schedule, and one timer, by the store's clock where it is known. */
export class Planner {
  readonly #options: PlannerOptions
  readonly #groups = new Map<string, Group>()
  readonly #heap = new Heap<Group>((a, b) => a.next < b.next)
  #timer: Timer | undefined
  #started = false
  /** Corrected minus monotonic time, as it was when the timer was set, and when the plan was made. */
  #aheadOfTimer = 0
  #aheadOfPlan = 0
  #rescheduling = false
  /** How many groups of the heap have no jobs any more. */
  #empty = 0
  /** The group that fires is not in the heap, and comes back to it afterwards. */
  #firing = false

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** Plans the ticks after `from` (corrected time). Ticks that have passed since then are due at once. */
  start(from: number): void {
    this.#started = true
    this.#aheadOfPlan = this.#options.time.now() - this.#options.clock.monotonic()
    for (const group of this.#groups.values()) group.next = this.#nextOf(group, from)
    this.#rebuild()
    this.#wake()
  }

  stop(): void {
    this.#started = false
    this.#timer?.cancel()
  }

  /** How many entries the heap has. At most half of them, and a few, are of schedules that no job has any more. */
  get size(): number {
    return this.#heap.size
  }

  /** The tick that is due next, or that has been due since then; undefined before the start, and when there is none. */
  get next(): number | undefined {
    return this.#started ? this.#heap.peek()?.next : undefined
  }

  /** The schedule with this key, if a job has it. */
  schedule(key: string): Schedule | undefined {
    return this.#groups.get(key)?.schedule
  }

  /**
   * Plans a job's ticks after `from`, or after the present. A tick from before `from` that is due fires at once,
   * without this job.
   */
  add(job: Job, from?: number): void {
    const due = this.next
    if (from !== undefined && due !== undefined && due <= from) this.#wake()
    const group = this.#groups.get(job.schedule.key)
    if (group) {
      group.jobs.add(job)
      return
    }
    const added: Group = { schedule: job.schedule, jobs: new Set([job]), next: Number.POSITIVE_INFINITY }
    this.#groups.set(job.schedule.key, added)
    if (!this.#started) return
    added.next = this.#nextOf(added, from ?? this.#options.time.now())
    this.#heap.push(added)
    if (this.#heap.peek() === added) this.#arm()
  }

  remove(job: Job): void {
    const group = this.#groups.get(job.schedule.key)
    group?.jobs.delete(job)
    if (!group || group.jobs.size > 0) return
    this.#groups.delete(job.schedule.key)
    if (!this.#started || group.next === Number.POSITIVE_INFINITY) return
    // Rebuilding the heap only now and then makes a removal cheap, and bounds what stays.
    this.#empty++
    if (!this.#firing && this.#empty > KEPT_EMPTY && this.#empty > this.#heap.size / 2) this.#rebuild()
    while (this.#heap.peek()?.jobs.size === 0) this.#pop()
  }

  #pop(): Group | undefined {
    const group = this.#heap.pop()
    if (group?.jobs.size === 0) this.#empty--
    return group
  }

  /** Makes a tick of a job due once more, at its time, or at once: it was refused as too early. */
  reschedule(job: Job, time: number): void {
    const group = this.#groups.get(job.schedule.key)
    if (!this.#started || !group?.jobs.has(job) || group.next <= time) return
    group.next = time
    // Once for all that are put back in one turn.
    if (!this.#rescheduling) queueMicrotask(() => this.#planned())
    this.#rescheduling = true
  }

  #planned(): void {
    this.#rescheduling = false
    this.#rebuild()
    this.#arm()
  }

  /** Called when more is known about the store's clock: sets the timer anew, or, after more than half a second, the plan. */
  clockChanged(): void {
    const { time, clock } = this.#options
    if (!this.#started) return
    this.#replanIfJumped()
    if (!this.#timer || Math.abs(time.now() - clock.monotonic() - this.#aheadOfTimer) >= REARM_AFTER) this.#arm()
  }

  /** Makes the plan anew when the corrected time has jumped: more is known of the store's clock, or it can't be asked and the wall clock was set. */
  #replanIfJumped(): void {
    const { time, clock } = this.#options
    const now = time.now()
    const ahead = now - clock.monotonic()
    if (Math.abs(ahead - this.#aheadOfPlan) < REPLAN_AFTER) return
    this.#aheadOfPlan = ahead
    // What is due stays due. What was planned by a wrong time is planned anew; requesting a tick twice does no harm.
    for (const group of this.#groups.values()) if (group.next > now) group.next = this.#nextOf(group, now)
    this.#rebuild()
    this.#arm()
  }

  #wake(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#options.onWake()
    // By a stale time a tick would fire that is long over.
    if (!this.#started || this.#options.time.mayBeStale) return
    this.#replanIfJumped()
    const now = this.#options.time.now()
    this.#firing = true
    for (let group = this.#heap.peek(); group && group.next <= now; group = this.#heap.peek()) {
      this.#pop()
      if (group.jobs.size > 0 && this.#fire(group, now)) this.#heap.push(group)
    }
    this.#firing = false
    this.#arm()
  }

  /** False when the schedule has no further tick. */
  #fire(group: Group, now: number): boolean {
    const { schedule, jobs, next: due } = group
    let time = due
    let next = schedule.next(due) ?? Number.POSITIVE_INFINITY
    let missed: DueTick['missed']
    if (next <= now && next > due) {
      const [before, newest] = schedule.last(2, now)
      time = Math.max(due, newest ?? before ?? due)
      missed = { first: due, last: newest === undefined || before === undefined ? due : before }
      next = schedule.next(time) ?? Number.POSITIVE_INFINITY
    }
    group.next = next
    this.#options.onDue({ jobs, time, next, missed })
    if (next > time) return next !== Number.POSITIVE_INFINITY
    this.#groups.delete(schedule.key)
    const message = `the tick after ${new Date(time).toISOString()} would be ${String(next)}, which is not later`
    this.#options.onStuck(jobs, new Error(message))
    return false
  }

  #nextOf = (group: Group, after: number): number => group.schedule.next(after) ?? Number.POSITIVE_INFINITY

  #rebuild(): void {
    this.#heap.clear()
    this.#empty = 0
    for (const group of this.#groups.values()) if (group.next !== Number.POSITIVE_INFINITY) this.#heap.push(group)
  }

  #arm(): void {
    if (!this.#started) return
    const { clock, time } = this.#options
    this.#timer?.cancel()
    const now = time.now()
    this.#aheadOfTimer = now - clock.monotonic()
    const left = Math.max(0, (this.#heap.peek()?.next ?? Number.POSITIVE_INFINITY) - now)
    this.#timer = clock.setTimer(Math.min(left, LONGEST_TIMER), () => this.#wake())
  }
}
