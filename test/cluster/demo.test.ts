import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { DemoJob } from '../../examples/demo/jobs.ts'
import { judge, type Witnessed } from '../../examples/demo/verdict.ts'

const demo = fileURLToPath(new URL('../../examples/demo/demo.ts', import.meta.url))

describe('the demo', () => {
  it('ends with a table, a verdict and exit code 0', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', demo])
    expect(stdout).toContain('kill -9 node-')
    expect(stdout).toContain('runs it again after the crash')
    expect(stdout).toMatch(/Once per tick: \d+ ticks were due, \d+ ran, 0 ran twice, 0 were missed\./)
  })
})

describe('the verdict of the demo', () => {
  const job: DemoJob = { name: 'j', every: 1000, takes: 0, lockAtMostFor: 1000, onCrash: 'skip' }
  const line = (what: 'begin' | 'end', tick: number, node: string): Witnessed => ({
    what,
    job: 'j',
    tick,
    node,
    fencingToken: 1,
  })
  const ran = (tick: number, node: string): Witnessed[] => [line('begin', tick, node), line('end', tick, node)]

  it('counts a tick that two nodes ran', () => {
    expect(judge(job, [...ran(1000, 'a'), ...ran(1000, 'b')], 1000, 1000, '')).toMatchObject({
      due: 1,
      run: 1,
      twice: 1,
    })
  })

  it('counts a tick that began twice without a kill, though it ended once', () => {
    const seen = [line('begin', 1000, 'a'), ...ran(1000, 'b')]
    expect(judge(job, seen, 1000, 1000, 'c')).toMatchObject({ twice: 1 })
    expect(judge(job, seen, 1000, 1000, 'a')).toMatchObject({ twice: 0, takenOver: 1 })
  })

  it('counts a tick that nobody finished', () => {
    expect(judge(job, ran(2000, 'a'), 1000, 3000, '')).toMatchObject({ due: 3, run: 1, missed: 2 })
  })
})
