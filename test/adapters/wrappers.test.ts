/* Each library's own scheduler calls two nodes in one process: what is wrapped runs once per tick, and what is called by hand is for none. */
import { CronJob } from 'cron'
import { Cron } from 'croner'
import { type ScheduledTask, schedule } from 'node-cron'
import nodeSchedule from 'node-schedule'
import { currentLock, Locker } from 'ticklock'
import { locked as lockedBree } from 'ticklock/bree'
import { locked as lockedCron } from 'ticklock/cron'
import { locked as lockedCroner } from 'ticklock/croner'
import { locked } from 'ticklock/locked'
import { memory } from 'ticklock/memory'
import { locked as lockedNodeCron, ticklockCoordinator } from 'ticklock/node-cron'
import { locked as lockedNodeSchedule } from 'ticklock/node-schedule'
import { AsyncTask } from 'toad-scheduler'
import { describe, expect, it, vi } from 'vitest'
import { readAll } from '../../src/testing/requests.ts'

const newLocker = (): Locker => new Locker({ provider: memory() })
const EVERY_SECOND = '* * * * * *'
const lockAtMostFor = '1m'

/** Runs two nodes of a library until four ticks were run, and answers these. */
async function ticksOf(start: (locker: Locker, run: () => void) => () => unknown): Promise<(number | undefined)[]> {
  const ticks: (number | undefined)[] = []
  const locker = newLocker()
  const run = (): void => void ticks.push(currentLock()?.tick?.getTime())
  const stops = [start(locker, run), start(locker, run)]
  await vi.waitFor(() => expect(ticks.length).toBeGreaterThanOrEqual(4), { timeout: 20_000, interval: 50 })
  for (const stop of stops) await stop()
  return ticks
}

const expectWholeSecondsOnce = (ticks: readonly (number | undefined)[]): void => {
  expect(ticks.every((tick) => tick !== undefined && tick % 1000 === 0)).toBe(true)
  expect(new Set(ticks).size).toBe(ticks.length)
}

describe('two nodes run each tick once, with its nominal time, under', () => {
  it.concurrent('node-cron', async () => {
    const start = (locker: Locker, run: () => void) => {
      const task = schedule(EVERY_SECOND, lockedNodeCron({ locker, name: 'a', lockAtMostFor }, run))
      return () => task.destroy()
    }
    expectWholeSecondsOnce(await ticksOf(start))
  })

  it.concurrent('cron', async () => {
    const start = (locker: Locker, run: () => void) => {
      const job = CronJob.from({
        cronTime: EVERY_SECOND,
        timeZone: 'Asia/Kolkata',
        onTick: lockedCron({ locker, name: 'a', lockAtMostFor }, run),
        start: true,
      })
      return () => job.stop()
    }
    expectWholeSecondsOnce(await ticksOf(start))
  })

  it.concurrent('croner', async () => {
    const start = (locker: Locker, run: () => void) => {
      const job = new Cron(EVERY_SECOND, { maxRuns: 6 }, lockedCroner({ locker, name: 'a', lockAtMostFor }, run))
      return () => job.stop()
    }
    expectWholeSecondsOnce(await ticksOf(start))
  })

  it.concurrent('node-schedule', async () => {
    const start = (locker: Locker, run: () => void) => {
      const job = nodeSchedule.scheduleJob(EVERY_SECOND, lockedNodeSchedule({ locker, name: 'a', lockAtMostFor }, run))
      return () => job.cancel()
    }
    expectWholeSecondsOnce(await ticksOf(start))
  })
})

describe('a call by hand is for no tick', () => {
  it('of node-cron', async () => {
    const locker = newLocker()
    const seen: unknown[] = []
    const run = lockedNodeCron({ locker, name: 'a', lockAtMostFor }, () => void seen.push(currentLock()?.tick))
    const task = schedule('0 0 1 1 *', run)
    await task.execute()
    await task.execute()
    expect(seen).toEqual([undefined, undefined])
    await task.destroy()
  })

  it('of node-schedule', async () => {
    const seen: unknown[] = []
    const run = lockedNodeSchedule({ locker: newLocker(), name: 'a', lockAtMostFor }, () => {
      seen.push(currentLock()?.tick)
    })
    const job = nodeSchedule.scheduleJob('0 0 1 1 *', run)
    job.invoke()
    await vi.waitFor(() => expect(seen).toEqual([undefined]))
    job.cancel()
  })

  it('of cron and croner can not be told from a late one: it is refused when the latest tick was run', async () => {
    const locker = newLocker()
    const runs: string[] = []
    const onTick = lockedCron({ locker, name: 'cron', lockAtMostFor }, () => void runs.push('cron'))
    const cron = CronJob.from({ cronTime: '0 0 1 1 *', onTick, waitForCompletion: true })
    const croner = new Cron(
      '0 0 1 1 *',
      { paused: true },
      lockedCroner({ locker, name: 'croner', lockAtMostFor }, () => void runs.push('croner')),
    )
    for (let round = 0; round < 2; round++) {
      await cron.fireOnTick()
      await croner.trigger()
    }
    expect(runs).toEqual(['cron', 'croner'])
    croner.stop()
  })
})

it('a job of cron with a context of its own has to say its pattern', async () => {
  const locker = newLocker()
  const context = { name: 'mine' }
  await expect(lockedCron({ locker, name: 'a', lockAtMostFor }, () => 1).call(context)).rejects.toThrow(
    /context of its own/,
  )
  const run = lockedCron({ locker, name: 'a', cron: '0 0 1 1 *', lockAtMostFor }, function (this: unknown) {
    return this
  })
  expect(await run.call(context)).toBe(context)
})

describe('a call whose tick is not known is refused, and the process is warned, by', () => {
  const wrappers = {
    cron: lockedCron,
    croner: lockedCroner,
    'node-cron': lockedNodeCron,
    'node-schedule': lockedNodeSchedule,
    bree: lockedBree,
  }

  for (const [library, wrap] of Object.entries(wrappers)) {
    it(`ticklock/${library}, with a function in between`, async () => {
      const warnings: Error[] = []
      const hear = (warning: Error): void => void warnings.push(warning)
      process.on('warning', hear)
      const ran: number[] = []
      const run = wrap({ locker: newLocker(), name: library, lockAtMostFor }, () => ran.push(1))
      for (let call = 0; call < 2; call++)
        await expect(run()).rejects.toThrow(/tick of this call is not known.*give it cron/)
      await vi.waitFor(() => expect(warnings).toMatchObject([{ code: 'TICKLOCK_NO_TICK' }]))
      process.off('warning', hear)
      expect(ran).toEqual([])
    })

    it(`ticklock/${library}, unless the options name the tick`, async () => {
      const ran: unknown[] = []
      const run = (): unknown => ran.push(currentLock()?.tick?.getTime())
      const options = { locker: newLocker(), name: library, lockAtMostFor }
      await wrap({ ...options, every: '1h' }, run)()
      await wrap({ ...options, tick: () => undefined }, run)()
      expect(ran).toEqual([expect.any(Number), undefined])
    })
  }

  it.each([
    ['croner', { options: {}, msToNext() {}, schedule() {} }, undefined],
    ['croner', undefined, { options: {}, msToNext() {}, schedule() {} }],
    ['cron', CronJob.from({ cronTime: EVERY_SECOND, onTick: () => {} }), undefined],
    ['node-cron', undefined, { date: new Date(), dateLocalIso: '', execution: {} }],
    ['node-cron', { _events: {}, _execution() {} }, new Date()],
    ['node-schedule', new nodeSchedule.Job(() => {}), new Date()],
  ])('plain locked, when %s calls', async (library, self, first) => {
    const run = locked({ locker: newLocker(), name: 'a', lockAtMostFor }, (_: unknown) => 1)
    await expect(run.call(self, first)).rejects.toThrow(`import { locked } from "ticklock/${library}"`)
    expect(await locked({ locker: newLocker(), name: 'a', every: '1s', lockAtMostFor }, (_: unknown) => 1)(first)).toBe(
      1,
    )
  })

  it('plain locked, when toad-scheduler calls and lockAtLeastFor keeps no other node out', async () => {
    const errors: unknown[] = []
    const runs: number[] = []
    const options = { locker: newLocker(), name: 'a', lockAtMostFor }
    const silent = new AsyncTask(
      'silent',
      locked(options, async () => void runs.push(1)),
      (error) => void errors.push(error),
    )
    const held = new AsyncTask(
      'held',
      locked({ ...options, lockAtLeastFor: '1s' }, async () => void runs.push(2)),
    )
    silent.execute('job')
    held.execute('job')
    await vi.waitFor(() => expect([errors.length, runs]).toEqual([1, [2]]))
    expect(String(errors[0])).toMatch(/lockAtLeastFor/)
  })

  it('ticklock/node-cron with node-cron 3, which tells no slot, but not a call by hand', async () => {
    const run = lockedNodeCron({ locker: newLocker(), name: 'a', lockAtMostFor }, (_: unknown) => 1)
    await expect(run(new Date())).rejects.toThrow(/give it cron/)
    expect(await run('manual')).toBe(1)
  })
})

it('the last run of a job of croner, and that of a date, name their ticks', async () => {
  const ticks: (number | undefined)[] = []
  const run = (): void => void ticks.push(currentLock()?.tick?.getTime())
  const wrapped = lockedCroner({ locker: newLocker(), name: 'a', lockAtMostFor }, run)
  const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000)
  new Cron(date, wrapped)
  await vi.waitFor(() => expect(ticks).toEqual([date.getTime()]), { timeout: 10_000 })
  new Cron(EVERY_SECOND, { maxRuns: 1, startAt: new Date(date.getTime() + 1000) }, wrapped)
  await vi.waitFor(() => expect(ticks).toHaveLength(2), { timeout: 10_000 })
  expect(ticks[1]).toSatisfy((tick: number) => tick > date.getTime() && tick % 1000 === 0)
})

describe('the coordinator of node-cron', () => {
  it('refuses a key without a slot', async () => {
    const coordinator = ticklockCoordinator({ locker: newLocker() })
    await expect(coordinator.shouldRun('job', 30_000)).rejects.toThrow(/node-cron 4\.4 and later/)
  })

  const slot = '2021-03-04T02:00:00.000Z'

  it('elects one node for a slot, for good', async () => {
    const provider = memory()
    const [a, b] = [1, 2].map(() => ticklockCoordinator({ locker: new Locker({ provider }) }))
    expect(await a?.shouldRun(`job:${slot}`, 30_000)).toBe(true)
    expect(await b?.shouldRun(`job:${slot}`, 30_000)).toBe(false)
    await a?.onComplete(`job:${slot}`)
    expect(await b?.shouldRun(`job:${slot}`, 30_000)).toBe(false)
    expect(await b?.shouldRun('job:2021-03-04T02:00:01.000Z', 30_000)).toBe(true)
  })

  it('tells node-cron when the lease was over before the task, and of a store that fails', async () => {
    const provider = memory()
    const coordinator = ticklockCoordinator({ locker: new Locker({ provider }) })
    expect(await coordinator.shouldRun(`job:${slot}`, 30_000)).toBe(true)
    await provider.forceRelease('job')
    await expect(coordinator.onComplete(`job:${slot}`)).rejects.toMatchObject({ code: 'LOCK_NOT_HELD' })
    await expect(coordinator.onComplete(`never:${slot}`)).rejects.toMatchObject({ code: 'LOCK_NOT_HELD' })
    const failing = { ...memory(), acquire: () => Promise.reject(new Error('down')) }
    const down = ticklockCoordinator({ locker: new Locker({ provider: failing }) })
    await expect(down.shouldRun(`job:${slot}`, 30_000)).rejects.toMatchObject({ code: 'STORE' })
  })

  it('keeps a lease alive that is shorter than the task, if asked to', async () => {
    const provider = memory()
    const coordinator = ticklockCoordinator({ locker: new Locker({ provider }), lockAtMostFor: 90, keepAlive: true })
    expect(await coordinator.shouldRun(`job:${slot}`, 30_000)).toBe(true)
    const [first] = await readAll(provider, ['job'])
    await vi.waitFor(async () => {
      const [record] = await readAll(provider, ['job'])
      expect(record?.lockUntil).toBeGreaterThan((first?.lockUntil ?? 0) + 180)
    })
    await coordinator.onComplete(`job:${slot}`)
    const [record] = await readAll(provider, ['job'])
    expect(record?.lockUntil).toBeLessThanOrEqual(record?.storeTime ?? 0)
  })

  it('serves tasks of node-cron, which skips what others were elected for', async () => {
    const provider = memory()
    const ran: string[] = []
    const skipped: string[] = []
    const node = (): ScheduledTask => {
      const runCoordinator = ticklockCoordinator({ locker: new Locker({ provider }) })
      const options = { name: 'task', distributed: true, runCoordinator }
      const task = schedule(EVERY_SECOND, ({ date }) => void ran.push(date.toISOString()), options)
      task.on('execution:skipped', ({ date, reason }) => void skipped.push(`${date.toISOString()} ${reason}`))
      return task
    }
    const tasks = [node(), node()]
    await vi.waitFor(() => expect(ran.length).toBeGreaterThanOrEqual(3), { timeout: 15_000 })
    for (const task of tasks) await task.destroy()
    expect(new Set(ran).size).toBe(ran.length)
    expect(skipped).toContain(`${ran[0]} not-elected`)
  })
})
