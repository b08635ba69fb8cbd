import { describe, expect, it } from 'vitest'
import { hashOf, scoreOf, tickKey } from '../../../../src/scheduler/spread/rendezvous.ts'

const TICK = Date.UTC(2024, 0, 1)
const labels = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `host-${index}.example:${4_000 + index}`)

/** The label with the highest score for a tick of a job. */
function firstChoice(name: string, tick: number, of: readonly string[]): string {
  const key = tickKey(name, tick)
  return of.reduce((best, label) => (scoreOf(key, hashOf(label)) > scoreOf(key, hashOf(best)) ? label : best))
}

/** How many of so many ticks of a job each label is first for. */
function counts(
  of: readonly string[],
  ticks: number,
  choose: (index: number) => [name: string, tick: number],
): number[] {
  const count = new Map(of.map((label) => [label, 0]))
  for (let index = 0; index < ticks; index++) {
    const first = firstChoice(...choose(index), of)
    count.set(first, (count.get(first) ?? 0) + 1)
  }
  return [...count.values()]
}

describe('the first choice', () => {
  // FNV-1a's published test vectors.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('hashes %j by FNV-1a', (text, hash) => {
    expect(hashOf(text) >>> 0).toBe(hash)
  })

  it.each([
    ['the jobs of one tick', (index: number): [string, number] => [`job-${index}`, TICK]],
    ['the ticks of one job, every second', (index: number): [string, number] => ['job', TICK + index * 1_000]],
    ['the ticks of one job, every day', (index: number): [string, number] => ['nightly', TICK + index * 86_400_000]],
  ])('is even over %s', (_, choose) => {
    for (const nodes of [2, 4, 20]) {
      const average = 8_000 / nodes
      // Five standard deviations.
      for (const count of counts(labels(nodes), 8_000, choose))
        expect(Math.abs(count - average)).toBeLessThan(5 * Math.sqrt(average))
    }
  })

  it('does not depend on the order of the labels, and changes only for the part of a node that goes', () => {
    const all = labels(5)
    const without = all.slice(1)
    for (let job = 0; job < 500; job++) {
      const first = firstChoice(`job-${job}`, TICK, all)
      expect(firstChoice(`job-${job}`, TICK, [...all].reverse())).toBe(first)
      if (first !== all[0]) expect(firstChoice(`job-${job}`, TICK, without)).toBe(first)
    }
  })

  it('of a tick says nothing of the next one', () => {
    const all = labels(4)
    let same = 0
    for (let index = 0; index < 2_000; index++)
      if (firstChoice('job', TICK + index * 1_000, all) === firstChoice('job', TICK + (index + 1) * 1_000, all)) same++
    expect(Math.abs(same - 500)).toBeLessThan(100)
  })
})
