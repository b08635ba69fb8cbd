import { atMost, figure, type Result } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { percentile } from '../harness/statistics.ts'
import { libraries } from '../timers/libraries.ts'
import { measureTimers } from '../timers/measure.ts'

const JOBS = 10_000

interface Late {
  readonly late: readonly number[]
  readonly runs: number
}

/** From the tick until the job's function is called, of all jobs that are due in the same second. */
export const lateness: Row = {
  name: 'lateness',
  what: '10,000 jobs due each second, memory provider: from the tick until the function is called',
  rivals: true,
  async run({ say }) {
    const results: Result[] = []
    for (const library of Object.keys(libraries)) {
      const told = await measureTimers<Late>('lateness', library, JOBS)
      if (!told) {
        say(`!!! NOT MEASURED: ${library} did not run ${JOBS} timers each second`)
        continue
      }
      const ours = library === 'ticklock'
      results.push(
        figure('lateness: p50', library, percentile(told.late, 0.5), 'ms', ours ? atMost(2) : undefined),
        figure('lateness: p99', library, percentile(told.late, 0.99), 'ms', ours ? atMost(15) : undefined),
        figure('lateness: runs in 6 s', library, told.runs, ''),
      )
    }
    return results
  },
}
