import type { Rule } from './judge/judge.ts'
import type { ChaosReport } from './run-chaos.ts'

/** Rules that have no column of their own. */
const OTHER: readonly Rule[] = ['lost is known', 'rerun', 'node part', 'on time', 'process']
/** Shows at most so many violations of a run. */
const SHOWN = 10

/** Prints one table with a row a run, what excused the ticks that nobody ran, and what was broken. */
export function printReports(reports: readonly ChaosReport[]): void {
  console.table(Object.fromEntries(reports.map((report) => [`${report.provider} ${report.seed}`, rowOf(report)])))
  for (const { provider, seed, version, faults, verdict, clocks, witness } of reports) {
    console.log(
      `${provider} ${seed}: ${version}, clocks wrong from -${clocks.behind.toFixed(1)} s to ${clocks.ahead.toFixed(1)} s`,
    )
    console.log(`  faults: ${list(faults)}`)
    console.log(`  not run for a reason: ${list(verdict.excused) || 'none'}`)
    for (const { rule, what } of verdict.violations.slice(0, SHOWN)) console.log(`  BROKEN: ${rule}: ${what}`)
    if (witness) console.log(`  the witness: ${witness}`)
    if (verdict.violations.length > SHOWN) console.log(`  and ${verdict.violations.length - SHOWN} more`)
  }
}

function rowOf({ verdict, faults }: ChaosReport): object {
  const { due, run, rerun, violations, excused } = verdict
  const broken = (rule: Rule): number => violations.filter((violation) => violation.rule === rule).length
  return {
    'ticks due': due,
    run,
    'rerun after a crash': rerun,
    twice: broken('once per tick'),
    overlaps: broken('one holder'),
    fencing: broken('fencing'),
    'missed for a reason': sum(excused),
    'missed without': broken('liveness'),
    'other rules': OTHER.reduce((all, rule) => all + broken(rule), 0),
    'faults injected': sum(faults),
  }
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
