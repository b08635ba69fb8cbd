import { atMost, figure, type Result } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { libraries } from '../timers/libraries.ts'
import { measureTimers } from '../timers/measure.ts'

const JOBS = 100_000
/** What the others are measured with: some need gigabytes and minutes for as many as ours. */
const FEWER = 10_000

interface Registered {
  readonly memory: number
  readonly start: number
  readonly idle: number
}

/**
 * Each library in a process of its own, and all in the same way: what it has of the machine after a collection, minus what it had while it was empty. So the
 * library's code counts, and the names and functions of the jobs as far as it keeps hold of them.
 */
export const registered: Row = {
  name: 'registered',
  what: '100,000 jobs with 500 patterns: memory over an empty process, time to start, CPU while none is due',
  rivals: true,
  async run({ say }) {
    const results: Result[] = []
    for (const library of Object.keys(libraries)) {
      const ours = library === 'ticklock'
      const measured = await measureTimers<Registered>('registered', library, ours ? JOBS : FEWER, say)
      if (!measured) continue
      const { jobs, told } = measured
      const on = `${library}, ${jobs.toLocaleString('en')} jobs`
      results.push(
        figure('registered: memory', on, told.memory, 'MB', ours ? atMost(120) : undefined),
        figure('registered: memory for a job', on, (told.memory * 1_024) / jobs, 'KB'),
        figure('registered: start', on, told.start, 'ms', ours ? atMost(2_000) : undefined),
        figure('registered: idle CPU', on, told.idle, '% of a core', ours ? atMost(1) : undefined),
      )
    }
    return results
  },
}
