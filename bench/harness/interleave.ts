import { median } from './statistics.ts'

/** A piece of work that is timed, with what it needs before each round. */
export interface Timed {
  before?(): Promise<unknown>
  run(): Promise<unknown>
}

/** How long each work is done before it counts, in ms: until its code is compiled, as it is in a process that has run for a while. */
const WARM_UP = 4_000

/**
 * Times works in turns, A B A B …, and answers the median of each in ms. Whatever disturbs the machine for longer than a round disturbs all of
 * them alike.
 */
export async function interleave<Name extends string>(
  works: Readonly<Record<Name, Timed>>,
  rounds: number,
  warmUp = WARM_UP,
): Promise<Record<Name, number>> {
  const entries = Object.entries(works) as [Name, Timed][]
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  const warmUntil = performance.now() + warmUp * entries.length
  for (let left = rounds; left > 0; ) {
    const counts = performance.now() >= warmUntil
    for (const [name, work] of entries) {
      await work.before?.()
      const from = performance.now()
      await work.run()
      if (counts) times.get(name)?.push(performance.now() - from)
    }
    if (counts) left--
  }
  return Object.fromEntries(entries.map(([name]) => [name, median(times.get(name) ?? [])])) as Record<Name, number>
}
