import type { FailoverReport } from './run-failover.ts'
import type { Scenario } from './topology.ts'

/** What the rounds of one scenario cost together. */
export interface Row {
  readonly store: string
  readonly failure: string
  readonly rounds: number
  readonly runs: number
  readonly forgotten: number | string
  readonly twice: number
  readonly overlaps: number
  readonly fencing: number
  readonly missed: number
  /** Median and maximum, in s. */
  readonly again: string
  readonly version: string
}

export function rowOf({ store, failure }: Scenario, reports: readonly FailoverReport[]): Row {
  const sum = (of: (report: FailoverReport) => number): number => reports.reduce((all, report) => all + of(report), 0)
  const asked = reports.filter(({ forgotten }) => forgotten !== undefined)
  const times = reports.map(({ recovery = Number.POSITIVE_INFINITY }) => recovery).sort((a, b) => a - b)
  return {
    store,
    failure,
    rounds: reports.length,
    runs: sum(({ runs }) => runs),
    forgotten: asked.length === 0 ? '?' : asked.reduce((all, { forgotten = 0 }) => all + forgotten, 0),
    twice: sum(({ twice }) => twice),
    overlaps: sum(({ overlaps }) => overlaps),
    fencing: sum(({ fencing }) => fencing),
    missed: sum(({ missed }) => missed),
    again: `${seconds(times[Math.floor((times.length - 1) / 2)])}, ${seconds(times.at(-1))}`,
    version: reports[0]?.version ?? '',
  }
}

const seconds = (ms = Number.POSITIVE_INFINITY): string =>
  ms === Number.POSITIVE_INFINITY ? 'not at all' : `${(ms / 1_000).toFixed(1)} s`

/** The rows as docs/guarantees.md has them. */
export function markdownOf(rows: readonly Row[]): string {
  const head = ['store', 'failure', 'ticks run', 'grants forgotten', 'ticks run twice', 'leases overlapping']
  head.push('tokens gone back', 'ticks missed', 'all jobs run again after (median, longest)')
  const cells = rows.map((row) => [
    ...[row.store, row.failure, row.runs, row.forgotten, row.twice, row.overlaps],
    ...[row.fencing, row.missed, row.again],
  ])
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n')
}
