import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { shortText } from '../history/error-text.ts'
import type { AcquiredEvent, EventName, JobEvent, SchedulerEvents, StartedEvent } from '../scheduler/events.ts'
import type { JobContext } from '../scheduler/job.ts'

type Handlers = { readonly [Name in EventName]?: (event: SchedulerEvents[Name]) => void }

/** A span for each run of one scheduler. */
export class RunSpans {
  readonly #tracer: Tracer
  readonly #node: string
  readonly #open = new Map<string, Span>()
  readonly #handlers: Handlers = {
    acquired: (event) => this.#begin(event, event),
    started: (event) => this.#started(event),
    extended: (event) => void this.#of(event)?.addEvent('ticklock.lock.extended'),
    lost: (event) => {
      const span = this.#of(event)
      span?.setAttribute('ticklock.lock.lost', true)
      span?.recordException(event.error)
    },
    succeeded: (event) => this.#end(event, 'succeeded'),
    failed: (event) => this.#end(event, 'failed', event.error),
  }

  constructor(tracer: Tracer, node: string) {
    this.#tracer = tracer
    this.#node = node
  }

  on<Name extends EventName>(name: Name, event: SchedulerEvents[Name]): void {
    ;(this.#handlers[name] as ((event: SchedulerEvents[Name]) => void) | undefined)?.(event)
  }

  /** Calls the work with the run's span as the active one. */
  within<T>({ name, scheduledAt }: JobContext, work: () => T): T {
    const span = this.#open.get(keyOf(name, scheduledAt))
    return span ? context.with(trace.setSpan(context.active(), span), work) : work()
  }

  /** Ends the spans of runs under way. */
  end(): void {
    for (const span of this.#open.values()) span.end()
    this.#open.clear()
  }

  #begin(event: JobEvent, acquired?: AcquiredEvent): Span {
    const { job, kind, scheduledAt } = event
    // The span begins when the lock was first requested.
    const startTime = Date.now() - (acquired?.waited ?? 0)
    const attributes = {
      'ticklock.job': job,
      'ticklock.run.kind': kind,
      'ticklock.tick': scheduledAt.toISOString(),
      'ticklock.node': this.#node,
      ...(acquired && {
        'ticklock.lock.wait': acquired.waited / 1_000,
        'ticklock.lock.fencing_token': acquired.fencingToken,
      }),
    }
    // A root of its own: a run that a request has triggered is no part of it, and a tick belongs to nobody.
    const span = this.#tracer.startSpan(`run ${job}`, { kind: SpanKind.INTERNAL, startTime, attributes, root: true })
    if (acquired) span.addEvent('ticklock.lock.acquired')
    this.#open.set(keyOf(job, scheduledAt), span)
    return span
  }

  #started(event: StartedEvent): void {
    const span = this.#of(event) ?? this.#begin(event)
    span.setAttribute('ticklock.run.lateness', (event.firedAt.getTime() - event.scheduledAt.getTime()) / 1_000)
    span.addEvent('ticklock.run.started')
  }

  #end(event: JobEvent, outcome: 'succeeded' | 'failed', error?: unknown): void {
    const span = this.#of(event)
    if (!span) return
    span.setAttribute('ticklock.run.outcome', outcome)
    if (outcome === 'failed') {
      const exception = error instanceof Error ? error : new Error(shortText(error))
      span.recordException(exception)
      span.setAttribute('error.type', exception.name)
      span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message })
    }
    span.end()
    this.#open.delete(keyOf(event.job, event.scheduledAt))
  }

  #of({ job, scheduledAt }: JobEvent): Span | undefined {
    return this.#open.get(keyOf(job, scheduledAt))
  }
}

const keyOf = (job: string, scheduledAt: Date): string => `${scheduledAt.getTime()} ${job}`
