/* Records that nobody can read harm their own job only, and the page says what to do. */
import { describe, expect, it } from 'vitest'
import type { StoredLock } from '../../../src/provider/decide.ts'
import { memoryPoisons } from '../../providers/memory-poisons.ts'
import { page } from './board.ts'

interface Jobs {
  readonly total: number
  readonly counts: { readonly failing: number }
  readonly jobs: { readonly name: string; readonly problem?: string; readonly next?: number }[]
}

function poisonable() {
  const board = page()
  for (const name of ['a', 'it is odd', 'z']) board.scheduler.job({ name, every: '1h' }, () => {})
  const locks = board.provider.locks as Map<string, StoredLock>
  const jobs = async (query = ''): Promise<Jobs> => {
    const response = await board.ask(`/api/jobs${query}`)
    expect(response.status).toBe(200)
    return (await response.json()) as Jobs
  }
  return { ...board, locks, jobs }
}

describe.each(Object.keys(memoryPoisons(new Map())))('a record with %s', (poison) => {
  it('is shown first, with what is wrong and the remedy, beside all others', async () => {
    const { ask, locks, jobs } = poisonable()
    memoryPoisons(locks)[poison]?.('it is odd')
    const { total, counts, jobs: shown } = await jobs()
    expect([total, counts.failing]).toEqual([4, 1])
    expect(shown.map(({ name }) => name)).toEqual(['it is odd', 'a', 'report', 'z'])
    expect(shown[0]?.problem).toMatch(/can't be read: .* repair it with: ticklock reset 'it is odd'$/)
    expect(shown[0]?.next).toBeTypeOf('number')
    expect((await jobs('?filter=failing')).jobs.map(({ name }) => name)).toEqual(['it is odd'])
    for (const filter of ['running', 'paused']) expect((await jobs(`?filter=${filter}`)).total).toBe(0)
    const job = await ask(`/api/job?name=${encodeURIComponent('it is odd')}`)
    expect([job.status, await job.json()]).toMatchObject([200, { problem: shown[0]?.problem }])
  })

  it('is repaired from the page', async () => {
    const { act, locks, jobs } = poisonable()
    memoryPoisons(locks)[poison]?.('a')
    expect((await jobs()).counts.failing).toBe(1)
    expect(await (await act({ action: 'reset', job: 'a' })).json()).toEqual({ done: 'the record is repaired' })
    const { counts, jobs: shown } = await jobs()
    expect([counts.failing, shown[0]?.problem]).toEqual([0, undefined])
    expect(await (await act({ action: 'reset', job: 'a' })).json()).toEqual({ done: 'there was nothing to repair' })
  })
})

it('a last tick in the future is shown, and reset', async () => {
  const { act, provider, jobs } = poisonable()
  const ahead = Date.now() + 3_600_000
  const request = { name: 'a', owner: 'o', label: 'n', lockAtMostFor: 1_000, tick: ahead, maxClockSkew: 7_200_000 }
  expect(await provider.acquire([request])).toMatchObject([{ granted: true }])
  const { jobs: shown, counts } = await jobs()
  expect(counts.failing).toBe(1)
  expect(shown[0]).toMatchObject({ name: 'a', problem: expect.stringContaining('ticklock reset a') })
  await act({ action: 'reset', job: 'a' })
  expect((await jobs()).counts.failing).toBe(0)
})
