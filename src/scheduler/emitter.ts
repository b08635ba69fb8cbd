import { quietly } from '../logger.ts'
import type { EventName, SchedulerEvents } from './events.ts'

export type Listener<Event> = (event: Event) => unknown
/** Takes the listener away again. */
export type Unsubscribe = () => void
/** For each event, its name and what it tells. */
export type AnyListener = <Name extends EventName>(name: Name, event: SchedulerEvents[Name]) => unknown

/** Tells listeners what happens. What a listener throws, or rejects with, goes to `onThrow` and changes nothing else. */
export class Emitter {
  readonly #listeners = new Map<EventName, Set<Listener<never>>>()
  readonly #any = new Set<AnyListener>()
  readonly #onThrow: (name: EventName, error: unknown) => void

  constructor(onThrow: (name: EventName, error: unknown) => void) {
    this.#onThrow = onThrow
  }

  on<Name extends EventName>(name: Name, listener: Listener<SchedulerEvents[Name]>): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  onAny(listener: AnyListener): Unsubscribe {
    this.#any.add(listener)
    return () => void this.#any.delete(listener)
  }

  /** The event is made only when somebody listens. */
  emit<Name extends EventName>(name: Name, make: () => SchedulerEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    if (!listeners?.size && this.#any.size === 0) return
    const event = make()
    // A listener that is added or taken away meanwhile has its say from the next event on.
    for (const listener of [...(listeners ?? [])])
      this.#call(name, () => (listener as Listener<SchedulerEvents[Name]>)(event))
    for (const listener of [...this.#any]) this.#call(name, () => listener(name, event))
  }

  #call(name: EventName, call: () => unknown): void {
    quietly(call, (error) => this.#onThrow(name, error))
  }
}
