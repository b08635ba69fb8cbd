/* What needs somebody, and in which order jobs are listed. */
import { describe, expect, it } from 'vitest'
import type { Health, OverdueEvent } from '../../../src/health/index.ts'
import type { HistoryEntry, HistoryOutcome } from '../../../src/provider/history.ts'
import { entry, page } from './board.ts'

const HOUR = 3_600_000

interface Listed {
  readonly counts: { readonly failing: number; readonly running: number; readonly paused: number }
  readonly jobs: {
    readonly name: string
    readonly failing?: { since: number; atLeast: boolean; error?: string; node: string }
    readonly overdueSince?: number
    readonly lastSuccess?: number
    readonly lastDuration?: number
    readonly crashed: boolean
  }[]
}

function listed(names: readonly string[], overdue: readonly OverdueEvent[] = []) {
  const fine = { ok: true, reasons: [] }
  const health: Health = { live: () => fine, ready: () => fine, report: () => fine, overdue, stop: () => {} }
  const board = page({ health: [health] })
  board.scheduler.remove('report')
  for (const name of names) board.scheduler.job({ name, every: '1h' }, () => {})
  const list = async (query = ''): Promise<Listed> => (await (await board.ask(`/api/jobs?${query}`)).json()) as Listed
  const order = async (query = '') => (await list(query)).jobs.map(({ name }) => name)
  const now = Date.now()
  /** Entries of a job, the oldest first, an hour apart; the last is the newest of all. */
  const write = (job: string, outcomes: readonly HistoryOutcome[], more: Partial<HistoryEntry> = {}) =>
    board.provider.history?.write(
      outcomes.map((outcome, index) => entry({ job, outcome, at: now - (outcomes.length - index) * HOUR, ...more })),
    )
  return { ...board, list, order, write, now }
}

describe('a job that has failed', () => {
  it.each<[string, HistoryOutcome[]]>([
    ['it alone', ['failed']],
    ['a miss after it', ['failed', 'missed']],
    ['a skip after it', ['failed', 'skipped']],
    ['a run under way', ['failed', 'running']],
    ['many misses after it', ['failed', ...Array<HistoryOutcome>(10).fill('missed')]],
    ['a lock that was lost', ['succeeded', 'lost']],
  ])('is failing until it succeeds, with %s', async (_, outcomes) => {
    const { list, write } = listed(['a', 'b'])
    await write('b', outcomes)
    const { jobs, counts } = await list()
    expect(jobs[0]).toMatchObject({ name: 'b', failing: { atLeast: !outcomes.includes('succeeded') } })
    expect(counts.failing).toBe(1)
  })

  it('is not failing once it has succeeded, whatever came before or after', async () => {
    const { list, write } = listed(['a'])
    await write('a', ['failed', 'failed', 'succeeded', 'missed', 'running'])
    const { jobs, counts } = await list()
    expect([jobs[0]?.failing, counts.failing]).toEqual([undefined, 0])
  })

  it('says since when, where, why, and when it last succeeded, however long ago', async () => {
    const { list, write, now } = listed(['a', 'b'])
    await write('a', ['succeeded', 'failed', 'missed', 'failed'], { error: 'Error: boom', node: 'node7' })
    await write('b', ['succeeded', ...Array<HistoryOutcome>(40).fill('failed')])
    const [a, b] = (await list('sort=name')).jobs
    expect(a?.failing).toEqual({ since: now - 3 * HOUR, atLeast: false, error: 'Error: boom', node: 'node7' })
    expect(a?.lastSuccess).toBe(now - 4 * HOUR + 10)
    expect(b?.failing).toMatchObject({ since: now - 20 * HOUR, atLeast: true })
    expect(b?.lastSuccess).toBe(now - 41 * HOUR + 10)
  })

  it('a week ago is still failing', async () => {
    const { order, provider, now } = listed(['a', 'weekly'])
    await provider.history?.write([entry({ job: 'weekly', outcome: 'failed', at: now - 7 * 24 * HOUR })])
    expect(await order()).toEqual(['weekly', 'a'])
    expect(await order('filter=failing')).toEqual(['weekly'])
  })
})

it('a run whose node crashed counts as trouble', async () => {
  const { list, provider } = listed(['a', 'crashed'])
  const request = { name: 'crashed', owner: 'o', label: 'n', lockAtMostFor: 1, tick: Date.now(), maxClockSkew: 60_000 }
  await provider.acquire([request])
  await expect.poll(async () => (await provider.read(['crashed']))[0]).toMatchObject({ tickDone: false })
  await expect.poll(async () => (await list()).jobs[0]).toMatchObject({ name: 'crashed', crashed: true })
})

describe('the list', () => {
  it('has what needs somebody first: failing, then overdue, then all others', async () => {
    const since = new Date()
    const overdue = [{ job: 'late', expectEvery: HOUR, lastSuccess: undefined, since }]
    const { list, write } = listed(['a', 'failing', 'late', 'z'], overdue)
    await write('failing', ['failed'])
    const { jobs, counts } = await list()
    expect(jobs.map(({ name }) => name)).toEqual(['failing', 'late', 'a', 'z'])
    expect(jobs[1]?.overdueSince).toBe(since.getTime())
    expect(counts).toEqual({ failing: 2, running: 0, paused: 0 })
  })

  it('has names in natural order', async () => {
    const names = ['job-10', 'Job-9', 'job-2', 'job-010b', 'alpha', 'Beta', 'job-1', '10', '9']
    expect(await listed(names).order()).toEqual([
      '9',
      '10',
      'alpha',
      'Beta',
      'job-1',
      'job-2',
      'Job-9',
      'job-10',
      'job-010b',
    ])
  })

  it('is sorted by each column, both ways, with what has no value at the end', async () => {
    const { order, provider, scheduler, now } = listed([])
    for (const [name, every] of [
      ['slow', '3h'],
      ['quick', '1h'],
      ['never', '2h'],
    ] as const)
      scheduler.job({ name, every }, () => {})
    await provider.history?.write([
      entry({ job: 'slow', at: now - HOUR, duration: 900 }),
      entry({ job: 'quick', at: now - 2 * HOUR, duration: 5 }),
    ])
    expect(await order('sort=duration')).toEqual(['quick', 'slow', 'never'])
    expect(await order('sort=duration&order=desc')).toEqual(['slow', 'quick', 'never'])
    expect(await order('sort=success')).toEqual(['quick', 'slow', 'never'])
    expect(await order('sort=success&order=desc')).toEqual(['slow', 'quick', 'never'])
    expect(await order('sort=name&order=desc')).toEqual(['slow', 'quick', 'never'])
    const next = (name: string) => scheduler.describe(name).nextTick?.getTime() ?? 0
    const byNext = await order('sort=next')
    expect(byNext.map(next)).toEqual([...byNext.map(next)].sort((a, b) => a - b))
  })
})
