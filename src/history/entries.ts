import { randomUUID } from 'node:crypto'
import type { HistoryEntry } from '../provider/history.ts'
import type { EventName, JobEvent, SchedulerEvents, SkippedEvent, StartedEvent } from '../scheduler/events.ts'
import { shortText } from './error-text.ts'

/** What an entry is made of beside the event. */
export interface EntryContext {
  readonly node: string
  readonly skips: 'unusual' | 'all' | 'none'
  /** Ms since the epoch, by the store's clock. */
  now(): number
}

/** Refusals that every node but one meets at every tick. */
const USUAL: readonly SkippedEvent['reason'][] = ['held', 'tick-taken']

/** Turns events into entries. Remembers the runs under way, since what begins and what ends is one entry. */
export class EventEntries {
  readonly #context: EntryContext
  readonly #open = new Map<string, HistoryEntry>()
  readonly #lost = new Map<string, string>()

  constructor(noting: EntryContext) {
    this.#context = noting
  }

  /** How many runs are under way. */
  get running(): number {
    return this.#open.size
  }

  /** The entry to write because of this event, if any. */
  of<Name extends EventName>(name: Name, event: SchedulerEvents[Name]): HistoryEntry | undefined {
    switch (name) {
      case 'started':
        return this.#begun(event as StartedEvent)
      case 'lost':
        this.#lost.set(keyOf(event as JobEvent), shortText((event as SchedulerEvents['lost']).error))
        return undefined
      case 'succeeded':
        return this.#ended(event as SchedulerEvents['succeeded'], { outcome: 'succeeded' })
      case 'failed': {
        const { error } = event as SchedulerEvents['failed']
        return this.#ended(event as SchedulerEvents['failed'], { outcome: 'failed', error: shortText(error) })
      }
      case 'skipped':
        return this.#skipped(event as SkippedEvent)
      case 'missed':
        return this.#missed(event as SchedulerEvents['missed'])
      default:
        return undefined
    }
  }

  #begun(event: StartedEvent): HistoryEntry {
    const { firedAt, fencingToken } = event
    const entry: HistoryEntry = { ...this.#base(event), outcome: 'running', at: firedAt.getTime(), fencingToken }
    this.#open.set(keyOf(event), entry)
    return entry
  }

  #ended(event: SchedulerEvents['succeeded'], end: Pick<HistoryEntry, 'outcome' | 'error'>): HistoryEntry | undefined {
    const key = keyOf(event)
    const entry = this.#open.get(key)
    const lost = this.#lost.get(key)
    this.#open.delete(key)
    this.#lost.delete(key)
    const asLost = lost === undefined ? {} : { outcome: 'lost' as const, error: end.error ?? lost }
    return entry && { ...entry, ...end, ...asLost, duration: event.duration }
  }

  #skipped(event: SkippedEvent): HistoryEntry | undefined {
    const { skips } = this.#context
    if (skips === 'none' || (skips === 'unusual' && USUAL.includes(event.reason))) return undefined
    return { ...this.#base(event), outcome: 'skipped', reason: event.reason }
  }

  #missed(event: SchedulerEvents['missed']): HistoryEntry {
    const { error, until, reason } = event
    const more = until === undefined ? undefined : `and all up to ${until.toISOString()}`
    const text = error === undefined ? more : shortText(error)
    return { ...this.#base(event), outcome: 'missed', reason, error: text }
  }

  #base({ job, kind, scheduledAt }: JobEvent) {
    const { node, now } = this.#context
    return { id: randomUUID(), job, node, kind, scheduledAt: scheduledAt.getTime(), at: now() }
  }
}

const keyOf = ({ job, kind, scheduledAt }: JobEvent): string => `${kind} ${scheduledAt.getTime()} ${job}`
