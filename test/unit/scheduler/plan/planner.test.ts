import { describe, expect, it } from 'vitest'
import { ClockJumps } from '../../../../src/lock/clock-jumps.ts'
import { StoreClock } from '../../../../src/scheduler/clock/store-clock.ts'
import type { Job } from '../../../../src/scheduler/job.ts'
import { type DueTick, Planner } from '../../../../src/scheduler/plan/planner.ts'
import { readSchedule, type Schedule } from '../../../../src/scheduler/plan/schedule.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

const source = { cron: undefined, timezone: undefined, every: undefined }
const START = Date.UTC(2024, 0, 1)

function plan(now = START) {
  const clock = new ManualClock({ now })
  const jumps = new ClockJumps(clock)
  const time = new StoreClock(clock, jumps)
  const observe = (storeTime: number): void =>
    time.observe({ storeTime, sent: jumps.now(), receivedAt: clock.monotonic() })
  const due: (Omit<DueTick, 'jobs'> & { readonly jobs: string[] })[] = []
  const stuck: string[] = []
  const lengths: number[] = []
  const setTimer = clock.setTimer.bind(clock)
  clock.setTimer = (ms, callback) => {
    lengths.push(ms)
    return setTimer(ms, callback)
  }
  const planner = new Planner({
    clock,
    time,
    onDue: (one) => due.push({ ...one, jobs: [...one.jobs].map(({ name }) => name) }),
    onWake: () => {},
    onStuck: (jobs, error) => stuck.push(`${[...jobs].map(({ name }) => name)}: ${error.message}`),
  })
  const times = (): number[] => due.map((one) => one.time - START)
  return { clock, time, observe, planner, due, stuck, lengths, times }
}

/** The planner asks a job for no more than its name and schedule. */
const job = (name: string, schedule: Schedule): Job => ({ name, schedule }) as Job
const every = (ms: number): Schedule => readSchedule({ every: ms }, 'job')

describe('the plan', () => {
  it('tells of each tick on its time, with the one after it', async () => {
    const { clock, planner, due } = plan()
    planner.add(job('a', every(1_000)))
    planner.start(START)
    await clock.advance(2_000)
    const passed = undefined
    expect(due).toEqual([
      { jobs: ['a'], time: START + 1_000, next: START + 2_000, passed },
      { jobs: ['a'], time: START + 2_000, next: START + 3_000, passed },
    ])
  })

  it('has one entry for jobs that share a schedule, and tells of them at once', async () => {
    const { clock, planner, due } = plan()
    let asked = 0
    const base = every(1_000)
    const count = (time: number): number | undefined => {
      asked++
      return base.next(time)
    }
    const shared = { ...base, next: count }
    for (const name of ['a', 'b', 'c']) planner.add(job(name, shared))
    planner.start(START)
    asked = 0
    await clock.advance(1_000)
    expect(due.map(({ jobs }) => jobs)).toEqual([['a', 'b', 'c']])
    expect(asked).toBe(1)
    expect(planner.schedule(base.key)).toBe(shared)
  })

  it('stays small while jobs with schedules of their own come and go', () => {
    const { planner } = plan()
    const stays = [job('stays', every(60_000)), job('stays too', every(59_000))]
    for (const each of stays) planner.add(each)
    planner.start(START)
    let largest = 0
    for (let count = 0; count < 100_000; count++) {
      const one = job(`job ${count}`, every(1_000_000 + count))
      planner.add(one)
      largest = Math.max(largest, planner.size)
      planner.remove(one)
    }
    expect(largest).toBeLessThan(100)
    expect(planner.next).toBe(Math.min(...stays.map(({ schedule }) => schedule.next(START) ?? 0)))
  })

  it('fires a schedule once though jobs are taken out while it does', async () => {
    const { clock, planner, due } = plan()
    const others = Array.from({ length: 200 }, (_, index) => job(`other ${index}`, every(5_000 + index)))
    for (const each of [job('a', every(1_000)), ...others]) planner.add(each)
    planner.start(START)
    const first = due.push.bind(due)
    due.push = (...one) => {
      if (one[0]?.jobs[0] === 'a') for (const each of others.splice(0)) planner.remove(each)
      return first(...one)
    }
    await clock.advance(3_000)
    expect(due.filter(({ jobs }) => jobs[0] === 'a').map(({ time }) => time - START)).toEqual([1_000, 2_000, 3_000])
  })

  it('knows the next tick of the jobs that are left, whichever are taken out', () => {
    const { planner } = plan()
    const jobs = Array.from({ length: 500 }, (_, index) =>
      job(`job ${index}`, every(10_000 + 1_000 * ((index * 7919) % 500))),
    )
    for (const each of jobs) planner.add(each)
    planner.start(START)
    const left = new Map(jobs.map((each) => [each, each.schedule.next(START) ?? 0]))
    for (const each of jobs) {
      planner.remove(each)
      left.delete(each)
      expect(planner.next).toBe(left.size === 0 ? undefined : Math.min(...left.values()))
      expect(planner.size).toBeLessThanOrEqual(2 * left.size + 34)
    }
  })

  it('forgets a job that is taken out, and its schedule with the last of them', async () => {
    const { clock, planner, due } = plan()
    const [a, b] = [job('a', every(1_000)), job('b', every(1_000))]
    planner.add(a)
    planner.add(b)
    planner.start(START)
    planner.remove(a)
    await clock.advance(1_000)
    planner.remove(b)
    await clock.advance(5_000)
    expect(due.map(({ jobs }) => jobs)).toEqual([['b']])
    expect(planner.schedule('every 1000')).toBeUndefined()
  })

  it('takes a job in while it goes on, also one that is due before all others', async () => {
    const { clock, planner, times } = plan()
    planner.add(job('a', every(60_000)))
    planner.start(START)
    await clock.advance(500)
    planner.add(job('b', every(1_000)))
    await clock.advance(2_000)
    expect(times()).toEqual([1_000, 2_000])
  })

  it('arms no timer for longer than 30 s, and one at a time', async () => {
    const { clock, planner, lengths, times } = plan()
    planner.add(job('a', every(3_600_000)))
    planner.start(START)
    await clock.advance(3_600_000)
    expect(times()).toEqual([3_600_000])
    expect(Math.max(...lengths)).toBe(30_000)
    expect(lengths.length).toBeLessThan(125)
    expect(clock.pending).toBe(1)
  })

  it('does not spin when its timer fires a fraction of a millisecond early', async () => {
    const { clock, planner, lengths, times } = plan()
    const exact = clock.setTimer
    clock.setTimer = (ms, callback) => exact(Math.max(0.1, ms - 0.4), callback)
    planner.add(job('a', every(1_000)))
    planner.start(START)
    await clock.advance(10_001)
    expect(times()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((second) => second * 1_000))
    expect(lengths.length).toBeLessThan(100)
  })

  it('has nothing left when it is stopped', async () => {
    const { clock, planner, due } = plan()
    planner.add(job('a', every(1_000)))
    planner.start(START)
    planner.stop()
    planner.clockChanged()
    await clock.advance(5_000)
    expect([due, clock.pending]).toEqual([[], 0])
  })
})

describe('a process that is late', () => {
  it('tells of the newest tick, and which passed before it', async () => {
    const { clock, planner, due } = plan()
    planner.add(job('a', every(1_000)))
    planner.start(START - 3_500)
    expect(due).toEqual([
      { jobs: ['a'], time: START, next: START + 1_000, missed: { first: START - 3_000, last: START - 1_000 } },
    ])
    await clock.advance(1_000)
    expect(due).toHaveLength(2)
  })

  it('by one tick tells of that one alone as passed', () => {
    const { planner, due } = plan(START + 500)
    planner.add(job('a', every(1_000)))
    planner.start(START - 1_500)
    expect(due[0]).toMatchObject({ time: START, missed: { first: START - 1_000, last: START - 1_000 } })
  })
})

describe('a schedule that can not go on', () => {
  it('is told once with its jobs, and is no loop', async () => {
    const { clock, planner, stuck, times } = plan()
    const stands: Schedule = { key: 'stands', source, next: () => START + 1_000, last: () => [START + 1_000] }
    planner.add(job('a', stands))
    planner.add(job('b', stands))
    planner.add(job('c', every(2_000)))
    planner.start(START)
    await clock.advance(4_000)
    const instant = '2024-01-01T00:00:01.000Z'
    expect(stuck).toEqual([`a,b: the tick after ${instant} would be ${START + 1_000}, which is not later`])
    expect(times()).toEqual([1_000, 2_000, 4_000])
  })

  it.each([Number.NaN, START - 5_000])('whatever its next tick is: %d', async (wrong) => {
    const { clock, planner, stuck, times } = plan()
    let first = true
    const next = (): number => {
      const tick = first ? START + 1_000 : wrong
      first = false
      return tick
    }
    planner.add(job('a', { key: 'wrong', source, next, last: () => [] }))
    planner.start(START)
    await clock.advance(4_000)
    expect([stuck.length, times()]).toEqual([1, [1_000]])
  })

  it('is no loop either when it looks back too far', async () => {
    const { clock, planner, due } = plan()
    const lies: Schedule = { ...every(1_000), key: 'lies', last: () => [START - 60_000, START - 50_000] }
    planner.add(job('a', lies))
    planner.start(START - 10_000)
    await clock.advance(1_000)
    expect(due.length).toBeLessThan(15)
    expect(due.at(-1)?.time).toBe(START + 1_000)
  })

  it('or has no tick any more is quietly over', async () => {
    const { clock, planner, stuck, times } = plan()
    const once: Schedule = {
      key: 'once',
      source,
      next: (time) => (time < START + 500 ? START + 500 : undefined),
      last: () => [],
    }
    planner.add(job('a', once))
    planner.start(START)
    await clock.advance(60_000)
    expect([times(), stuck]).toEqual([[500], []])
  })
})

describe('a correction of the time', () => {
  it('backward plans anew what was planned too far ahead', async () => {
    const { clock, observe, planner, times } = plan(START + 300_000)
    planner.add(job('a', every(10_000)))
    planner.start(START + 300_000)
    observe(START + 1)
    planner.clockChanged()
    await clock.advance(20_000)
    expect(times()).toEqual([10_000, 20_000])
  })

  it('forward makes due at once what has passed', () => {
    const { clock, observe, planner, due } = plan()
    planner.add(job('a', every(10_000)))
    planner.start(START)
    observe(START + 35_000)
    planner.clockChanged()
    return clock.advance(0).then(() => {
      expect(due).toMatchObject([{ time: START + 30_000, missed: { first: START + 10_000, last: START + 20_000 } }])
    })
  })

  it('by little moves the timer alone', async () => {
    const { clock, observe, planner, times } = plan()
    planner.add(job('a', every(10_000)))
    planner.start(START)
    observe(START + 400)
    planner.clockChanged()
    await clock.advance(9_600)
    expect(times()).toEqual([10_000])
  })

  it('backward by steps plans anew as by one, so that what was asked for too early is due again', async () => {
    const { clock, observe, planner, times } = plan()
    planner.add(job('a', every(10_000)))
    planner.start(START)
    await clock.advance(10_000)
    for (const ahead of [300, 600]) {
      observe(START + 10_000 - ahead)
      planner.clockChanged()
    }
    await clock.advance(10_600)
    expect(times()).toEqual([10_000, 10_000, 20_000])
  })

  it('that follows a jump of the wall clock is waited for: nothing fires by a time that may be stale', async () => {
    const { clock, observe, planner, due } = plan()
    observe(START)
    planner.add(job('a', every(10_000)))
    planner.start(START)
    await clock.advance(5_000)
    clock.jump(60_000)
    await clock.advance(7_000)
    expect(due).toEqual([])
    observe(START + 72_000)
    planner.clockChanged()
    await clock.advance(0)
    expect(due).toMatchObject([{ time: START + 70_000, missed: { first: START + 10_000, last: START + 60_000 } }])
    clock.jump(60_000)
    await clock.advance(7_999)
    observe(START + 79_999)
    planner.clockChanged()
    await clock.advance(2)
    expect(due.map(({ time }) => time - START)).toEqual([70_000, 80_000])
  })

  it('that nobody tells is noticed when the timer fires: the wall clock was set back while the store could not be asked', async () => {
    const { clock, planner, times } = plan()
    planner.add(job('a', every(10_000)))
    planner.start(START)
    await clock.advance(5_000)
    clock.jump(-3_600_000)
    await clock.advance(65_000)
    expect(times().filter((time) => time < 0).length).toBeGreaterThan(4)
  })
})
