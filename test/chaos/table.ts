import { groupBy } from './judge/group.ts'
import type { Rule } from './judge/judge.ts'
import type { ChaosReport } from './run-chaos.ts'

type Counts = Readonly<Record<string, number>>

/** Rules that have no column of their own. */
const OTHER: readonly Rule[] = ['lost is known', 'rerun', 'node part', 'on time', 'process']
/** Shows at most so many violations of a run. */
const SHOWN = 10

/** Prints one table with a row a provider, what it went through, why ticks did not run, and each run that broke a rule with its seed. */
export function printReports(reports: readonly ChaosReport[]): void {
  const byProvider = groupBy(reports, ({ provider }) => provider)
  console.table(Object.fromEntries([...byProvider].map(([provider, runs]) => [provider, rowOf(runs)])))
  for (const [provider, runs] of byProvider) {
    const behind = Math.max(...runs.map(({ clocks }) => clocks.behind))
    const ahead = Math.max(...runs.map(({ clocks }) => clocks.ahead))
    console.log(
      `${provider}: ${runs[0]?.version}, wall clocks wrong from -${behind.toFixed(1)} s to ${ahead.toFixed(1)} s`,
    )
    console.log(`  faults: ${list(added(runs.map(({ faults }) => faults)))}`)
    console.log(`  not run, as: ${list(added(runs.map(({ verdict }) => verdict.excused))) || 'all ran'}`)
  }
  for (const report of reports) printViolations(report)
}

function rowOf(runs: readonly ChaosReport[]): object {
  const verdicts = runs.map(({ verdict }) => verdict)
  const violations = verdicts.flatMap((verdict) => verdict.violations)
  const broken = (...rules: readonly Rule[]): number => violations.filter(({ rule }) => rules.includes(rule)).length
  return {
    seeds: runs.map(({ seed }) => seed).join(),
    'ticks due': sum(verdicts.map(({ due }) => due)),
    run: sum(verdicts.map(({ run }) => run)),
    'taken over': sum(verdicts.map(({ rerun }) => rerun)),
    twice: broken('once per tick'),
    overlaps: broken('one holder'),
    fencing: broken('fencing'),
    effects: sum(runs.map(({ effects = 0 }) => effects)),
    'effects twice or lost': broken('exactly once'),
    'missed, excused': sum(verdicts.flatMap(({ excused }) => Object.values(excused))),
    'missed without need': broken('liveness'),
    'other rules': broken(...OTHER),
    faults: sum(runs.flatMap(({ faults }) => Object.values(faults))),
  }
}

function printViolations({ provider, seed, verdict, witness }: ChaosReport): void {
  const { violations } = verdict
  if (violations.length === 0) return
  console.log(`${provider}, seed ${seed}: ${violations.length} times a rule was broken`)
  for (const { rule, what } of violations.slice(0, SHOWN)) console.log(`  ${rule}: ${what}`)
  if (witness) console.log(`  the witness: ${witness}`)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

function added(all: readonly Counts[]): Counts {
  const total: Record<string, number> = {}
  for (const [name, count] of all.flatMap((counts) => Object.entries(counts))) total[name] = (total[name] ?? 0) + count
  return total
}

const list = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
