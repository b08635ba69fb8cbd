/* A stranger's open transaction: it locks the whole file. */
import { afterEach, describe, expect, it } from 'vitest'
import { newHolder, toExtend, toRelease } from '../../src/testing/requests.ts'
import { ask, Belongings } from './sqlite-bench.ts'

const own = new Belongings()
afterEach(() => own.clear())

async function lockedFile(kind: 'IMMEDIATE' | 'EXCLUSIVE' = 'IMMEDIATE') {
  const path = own.newFile()
  const stranger = await own.database(path)
  stranger.exec('CREATE TABLE app (x)') // A rollback journal: there EXCLUSIVE keeps readers out, too.
  const provider = own.provider(path)
  await provider.acquire([ask('held')])
  stranger.exec(`BEGIN ${kind}`)
  return { provider, stranger }
}

const LOCKED = {
  code: 'STORE',
  message: expect.stringMatching(
    /locks\.sqlite was locked by another transaction for \d+ ms; end it, such as an open BEGIN/,
  ),
  cause: { errcode: 5 },
}

/** What a call rejects with, and when. */
async function failure(call: () => Promise<unknown>): Promise<{ readonly error: unknown; readonly took: number }> {
  const began = performance.now()
  const error = await call().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { error, took: performance.now() - began }
}

describe('an open BEGIN IMMEDIATE of a stranger', () => {
  const name = 'job'
  it('makes each verb that writes fail within the timeout of its caller, with an error that says what to end', async () => {
    const { provider, stranger } = await lockedFile()
    const holder = newHolder(name)
    stranger.exec('ROLLBACK')
    await provider.acquire([{ ...ask(name), ...holder }])
    stranger.exec('BEGIN IMMEDIATE')
    for (const call of [
      () => provider.acquire([ask('new')], { timeout: 300 }),
      () => provider.extend([toExtend(holder)], { timeout: 300 }),
      () => provider.release([toRelease(holder)], { timeout: 300 }),
    ]) {
      const { error, took } = await failure(call)
      expect(error).toMatchObject(LOCKED)
      expect(took).toBeLessThan(2_000)
      expect(took).toBeGreaterThan(200)
    }
    for (const call of [() => provider.forceRelease(name), () => provider.setPaused?.({ name, paused: true })]) {
      const { error, took } = await failure(async () => call())
      expect(error).toMatchObject(LOCKED)
      expect(took).toBeLessThan(3_500)
    }
    stranger.exec('ROLLBACK')
    expect(await provider.acquire([ask('new')], { timeout: 300 })).toMatchObject([{ granted: true }])
  })

  it('stops neither refusals nor reading', async () => {
    const { provider } = await lockedFile()
    expect(await provider.acquire([ask('held')], { timeout: 300 })).toMatchObject([{ granted: false, reason: 'held' }])
    expect(await provider.read()).toMatchObject([{ name: 'held' }])
    expect(await provider.reset({ name: 'held', maxClockSkew: 0 })).toBe(false)
  })

  it('lets one call at a time try, however many wait, so that the event loop stays free; each has its own bound', async () => {
    const path = own.newFile()
    const [database, stranger] = [await own.database(path), await own.database(path)]
    await own.provider(database).setup?.()
    let attempts = 0
    const provider = own.provider({
      exec: (sql) => {
        if (sql === 'BEGIN IMMEDIATE') attempts++
        return database.exec(sql)
      },
      prepare: (sql) => database.prepare(sql),
      close: () => {},
    })
    stranger.exec('BEGIN IMMEDIATE')
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        failure(() => provider.acquire([ask(`job-${index}`)], { timeout: index % 2 ? 900 : 500 })),
      ),
    )
    for (const [index, { error }] of results.entries()) {
      expect(error).toMatchObject({
        code: 'STORE',
        message: expect.stringMatching(/was locked by another transaction/),
      })
      expect(String(error)).toContain(index % 2 ? '810 ms' : '450 ms')
    }
    // One that tries for 810 ms, with delays of 25 ms and more after the first, and one more at a change of turns.
    expect(attempts).toBeLessThan(60)
    stranger.exec('ROLLBACK')
    expect(await provider.acquire([ask('after')])).toMatchObject([{ granted: true }])
  })

  it('is waited for when it ends in time', async () => {
    const { provider, stranger } = await lockedFile()
    const waiting = [1, 2, 3].map((index) => provider.acquire([ask(`job-${index}`)]))
    await provider.acquire([ask('held')]) // By now the others have found the file locked.
    stranger.exec('COMMIT')
    for (const results of await Promise.all(waiting)) expect(results).toMatchObject([{ granted: true }])
  })
})

describe('an open BEGIN EXCLUSIVE of a stranger', () => {
  it('makes reading fail within its bound, too', async () => {
    const { provider, stranger } = await lockedFile('EXCLUSIVE')
    const { error, took } = await failure(() => provider.acquire([ask('held')], { timeout: 300 }))
    expect(error).toMatchObject(LOCKED)
    expect(took).toBeLessThan(2_000)
    stranger.exec('ROLLBACK')
    expect(await provider.acquire([ask('held')])).toMatchObject([{ granted: false }])
  })
})
