import { sleep } from '../../clock.ts'
import type { CatchUp } from '../catch-up/catch-up.ts'
import type { DueTick } from '../plan/planner.ts'
import type { SchedulerContext } from '../scheduler-context.ts'
import type { OrderedRequest } from '../spread/request-order.ts'
import { requestTimeout } from './acquire-ticks.ts'
import { acquireAndRun, acquireAndRunAll, emitMissed, emitSkipped, RUNNING_HERE } from './outcome.ts'
import { jobEvent, type Tick, type TickRequest } from './tick.ts'

/** Requests the ticks that are due: its first choices at once, and what it leaves to other nodes a little later. */
export class Dispatcher {
  readonly #context: SchedulerContext
  readonly #catchUp: CatchUp
  /** The ticks of this turn of the event loop: they share the order of nodes and go out as one batch. */
  #batch: TickRequest[] = []

  constructor(context: SchedulerContext, catchUp: CatchUp) {
    this.#context = context
    this.#catchUp = catchUp
  }

  /** Takes a tick that is due, for each of its jobs that does not run here or wait its turn. */
  add({ jobs, time, next, missed }: DueTick): void {
    const context = this.#context
    const now = context.storeClock.now()
    const monotonic = context.clock.monotonic()
    for (const job of jobs) {
      const tick: Tick = { job, kind: 'schedule', time }
      if (missed) {
        emitMissed(context, { ...tick, time: missed.first }, 'late', undefined, missed.last)
        context.noteMissed(job)
      }
      context.events.emit('tick', () => jobEvent(tick))
      const left = Math.min(time + job.graceFor, next) - now
      const until = monotonic + left
      // The tick before is still requested, so it ends missed, and this one must not overtake it.
      if (job.requesting > 0) context.noteMissed(job)
      if (!this.#mayRequest(tick)) continue
      if (left <= 0) {
        emitMissed(context, tick, 'late', undefined)
        context.noteMissed(job)
      } else if (job.jitter > 0) context.track(this.#afterJitter(tick, until))
      else this.#gather({ tick, until })
    }
  }

  #gather(request: TickRequest): void {
    if (this.#batch.length === 0) queueMicrotask(() => this.#requestInOrder())
    this.#batch.push(request)
  }

  #requestInOrder(): void {
    const batch = this.#batch
    this.#batch = []
    for (const [wait, requests] of this.#context.requestOrder.of(batch, this.#context.storeClock.now())) {
      if (wait === 0)
        this.#request(
          requests.filter(({ tick }) => this.#isActive(tick)),
          false,
        )
      else this.#context.track(this.#requestLater(wait, requests))
    }
  }

  async #requestLater(wait: number, requests: readonly OrderedRequest[]): Promise<void> {
    const { clock, stopping } = this.#context
    await sleep(clock, wait, stopping).catch(() => {})
    const still = requests.filter(({ tick }) => this.#isActive(tick) && this.#mayRequest(tick))
    const onGranted = ({ leftTo, tick }: OrderedRequest): void => void leftTo?.leftOpen(tick.job.name)
    this.#request(still, true, onGranted)
  }

  /** One request for all that may wait equally long for the response: a batch has one deadline. */
  #request(
    requests: readonly OrderedRequest[],
    mostRefused: boolean,
    onGranted?: (request: OrderedRequest) => void,
  ): void {
    const context = this.#context
    const now = context.clock.monotonic()
    const batches = new Map<number, OrderedRequest[]>()
    for (const request of requests) {
      const timeout = requestTimeout(context, request.tick.job, request.until - now)
      const batch = batches.get(timeout)
      if (batch) batch.push(request)
      else batches.set(timeout, [request])
    }
    for (const [timeout, batch] of batches)
      context.track(acquireAndRunAll(context, batch, { timeout, mostRefused }, onGranted))
  }

  /** False when the job runs here, or its tick waits its turn. */
  #mayRequest(tick: Tick): boolean {
    if (this.#catchUp.queue(tick.job, tick.time)) return false
    const running = this.#context.running.has(tick.job.name)
    if (running) emitSkipped(this.#context, tick, RUNNING_HERE)
    return !running
  }

  /** False when a listener, or the time that has passed, has taken the job out or begun to stop the scheduler. */
  #isActive(tick: Tick): boolean {
    const { stopping } = this.#context
    if (tick.job.removed) return false
    if (stopping.aborted) emitMissed(this.#context, tick, 'stopped', undefined)
    return !stopping.aborted
  }

  async #afterJitter(tick: Tick, until: number): Promise<void> {
    const { clock, random, stopping } = this.#context
    const longest = (until - clock.monotonic()) / 2
    await sleep(clock, Math.min(random() * tick.job.jitter, longest), stopping).catch(() => {})
    if (this.#isActive(tick)) await acquireAndRun(this.#context, tick, until)
  }
}
