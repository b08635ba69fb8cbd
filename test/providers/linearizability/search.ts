/** Something that was called, and answered, while others may have been under way. */
export interface Interval {
  /** When it was called; moments only tell an order. */
  readonly from: number
  /** When its answer came. */
  readonly until: number
}

/** What an event may lead to. */
export interface Outcome<Event, State> {
  readonly state: State
  /** The event has done something, and has yet to be answered: what is left of it. */
  readonly rest?: Event | undefined
}

/**
 * Looks for an order of these events, each at one moment between its call and its answer, in which a sequential object would have answered
 * all of them so. Answers with it, or undefined: then the history is not linearizable.
 *
 * The search of J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects" (Journal of Parallel and Distributed Computing 17, 1993),
 * with the memory of what led nowhere that G. Lowe, "Testing for linearizability" (Concurrency and Computation 29, 2017), adds to it.
 *
 * @param step what there may be after the event, nothing where a sequential object in this state would have answered otherwise
 * @param keyOf equal for equal states
 */
export function findOrder<Event extends Interval, State>(
  events: readonly Event[],
  start: State,
  step: (state: State, event: Event) => readonly Outcome<Event, State>[],
  keyOf: (state: State) => string,
): readonly Event[] | undefined {
  const fruitless = new Set<string>()
  const known: Event[] = [...events]
  const idOf = (event: Event): number => (known.includes(event) ? known.indexOf(event) : known.push(event) - 1)

  const search = (left: readonly Event[], state: State): readonly Event[] | undefined => {
    if (left.length === 0) return []
    const key = `${left.map(idOf).sort().join()} ${keyOf(state)}`
    if (fruitless.has(key)) return undefined
    const firstAnswer = Math.min(...left.map(({ until }) => until))
    for (const event of left) {
      // Whatever was called after another was answered comes after it.
      if (event.from > firstAnswer) continue
      const others = left.filter((other) => other !== event)
      for (const { state: next, rest } of step(state, event)) {
        const order = search(rest ? [...others, rest] : others, next)
        if (order) return [event, ...order]
      }
    }
    fruitless.add(key)
    return undefined
  }

  return search(events, start)
}
