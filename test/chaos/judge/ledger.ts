import type { WitnessLine } from '../witness-line.ts'
import type { Violate } from './judge.ts'

/** The effect of a tick takes place at most once, and what was confirmed has taken place. */
export function judgeLedger(lines: readonly WitnessLine[], ticks: readonly number[], violate: Violate): void {
  const entries = new Map<number, number>()
  for (const tick of ticks) entries.set(tick, (entries.get(tick) ?? 0) + 1)
  for (const [tick, count] of entries) {
    if (count > 1) violate('exactly once', `the ledger has ${count} entries of ${tick}`)
  }
  for (const line of lines) {
    if (line.what === 'completed' && !entries.has(line.tick))
      violate('exactly once', `${line.life} was told that ${line.tick} is in the ledger, and it is not`)
  }
}
