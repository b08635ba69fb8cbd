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
  what: '10,000 jobs due at once, memory provider: from the tick until the function is called',
  rivals: true,
  async run({ say }) {
    const results: Result[] = []
    for (const library of Object.keys(libraries)) {
      const measured = await measureTimers<Late>('lateness', library, JOBS, say)
      if (!measured) continue
      const { jobs, told } = measured
      const on = jobs === JOBS ? library : `${library}, ${jobs.toLocaleString('en')} jobs`
      const ours = library === 'ticklock'
      results.push(
        figure('lateness: p50', on, percentile(told.late, 0.5), 'ms', ours ? atMost(2) : undefined),
        figure('lateness: p99', on, percentile(told.late, 0.99), 'ms', ours ? atMost(15) : undefined),
        figure('lateness: runs in 3 ticks', on, told.runs, `of ${3 * jobs}`),
      )
    }
    return results
  },
}
