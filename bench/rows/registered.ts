import { atMost, figure, type Result } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { libraries } from '../timers/libraries.ts'
import { measureTimers } from '../timers/measure.ts'

const JOBS = 100_000

interface Registered {
  readonly memory: number
  readonly start: number
  readonly idle: number
}

/** Each library in a process of its own. The jobs' names, patterns and functions are there before its memory is counted. */
export const registered: Row = {
  name: 'registered',
  what: '100,000 jobs with 500 patterns: memory over the process without them, time to start, CPU while none is due',
  rivals: true,
  async run({ say }) {
    const results: Result[] = []
    for (const library of Object.keys(libraries)) {
      const told = await measureTimers<Registered>('registered', library, JOBS)
      if (!told) {
        say(`!!! NOT MEASURED: ${library} did not set ${JOBS} timers within 2 minutes and 8 GB`)
        continue
      }
      const ours = library === 'ticklock'
      results.push(
        figure('registered: memory', library, told.memory, 'MB', ours ? atMost(120) : undefined),
        figure('registered: start', library, told.start, 'ms', ours ? atMost(2_000) : undefined),
        figure('registered: idle CPU', library, told.idle, '% of a core', ours ? atMost(1) : undefined),
      )
    }
    return results
  },
}
