import type { Unsubscribe } from '../scheduler/emitter.ts'
import type { EventName, SchedulerEvents, StartedEvent } from '../scheduler/events.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { InstrumentName, Labels } from './instruments.ts'

/** Where measurements go. */
export interface Sink {
  /** Adds to a counter or an up-down counter. */
  add(name: InstrumentName, by: number, labels: Labels): void
  /** Observes a time for a histogram, in seconds. */
  observe(name: InstrumentName, seconds: number, labels: Labels): void
  /** Sets a gauge. */
  set(name: InstrumentName, value: number, labels: Labels): void
}

type Handlers = { readonly [Name in EventName]?: (event: SchedulerEvents[Name]) => void }

/** Measures a scheduler by its events, until the function that is answered is called. */
export function measure(scheduler: Scheduler, sink: Sink, labelOf: (job: string) => string): Unsubscribe {
  const running = (event: StartedEvent, by: 1 | -1): void => sink.add('running', by, { job: labelOf(event.job) })
  const ended = (event: SchedulerEvents['succeeded'], outcome: string): void => {
    const labels = { job: labelOf(event.job), outcome }
    running(event, -1)
    sink.add('runs', 1, labels)
    sink.observe('duration', event.duration / 1_000, labels)
  }
  const handlers: Handlers = {
    acquired: ({ job, kind, waited }) => {
      sink.add('acquired', 1, { job: labelOf(job), kind })
      sink.observe('lockWait', waited / 1_000, { job: labelOf(job) })
    },
    skipped: ({ job, reason }) => sink.add('skipped', 1, { job: labelOf(job), reason }),
    missed: ({ job, reason }) => sink.add('missed', 1, { job: labelOf(job), reason }),
    lost: ({ job }) => sink.add('lost', 1, { job: labelOf(job) }),
    'store-error': ({ action }) => sink.add('storeErrors', 1, { action }),
    started: (event) => {
      running(event, 1)
      if (event.kind !== 'schedule') return
      const lateness = event.firedAt.getTime() - event.scheduledAt.getTime()
      // A node whose clock the store has not told yet may be early.
      sink.observe('lateness', Math.max(0, lateness) / 1_000, { job: labelOf(event.job) })
    },
    succeeded: (event) => {
      ended(event, 'succeeded')
      sink.set('lastSuccess', scheduler.now().getTime() / 1_000, { job: labelOf(event.job) })
    },
    failed: (event) => ended(event, 'failed'),
  }
  return scheduler.onAny((name, event) => (handlers[name] as ((event: unknown) => void) | undefined)?.(event))
}
