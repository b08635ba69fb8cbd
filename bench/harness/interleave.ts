import { median } from './statistics.ts'

/** A piece of work that is timed, with what it needs before each round. */
export interface Timed {
  before?(): Promise<unknown>
  run(): Promise<unknown>
}

/**
 * Times works in turns, A B A B …, and answers the median of each in ms. Whatever disturbs the machine for longer than a round disturbs all of
 * them alike; the first rounds, in which code is compiled and plans are made, don't count.
 */
export async function interleave<Name extends string>(
  works: Readonly<Record<Name, Timed>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(works) as [Name, Timed][]
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  const warmUp = Math.ceil(rounds / 5)
  for (let round = 0; round < rounds + warmUp; round++) {
    for (const [name, work] of entries) {
      await work.before?.()
      const from = performance.now()
      await work.run()
      if (round >= warmUp) times.get(name)?.push(performance.now() - from)
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, median(times.get(name) ?? [])])) as Record<Name, number>
}
