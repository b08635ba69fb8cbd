// One process that sets timers and tells what they cost: node.ts registered|lateness|empty <library> <jobs>
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { libraries, type TimerJob } from './libraries.ts'

const [mode = '', name = '', count = '0'] = process.argv.slice(2)
const jobs = Number(count)

/**
 * The memory that this process has of the machine, in MB, when there is no garbage left; what a collection frees is given back a little later. Without the
 * pages of the young generation, which is empty then: V8 gives back its 32 MB in one process and keeps them in the next.
 */
async function memory(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await sleep(100)
  }
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  return (process.memoryUsage().rss - (young?.physical_space_size ?? 0)) / 2 ** 20
}

/** 500 patterns, each once a day, none within the next two hours. */
function patterns(): string[] {
  const free = (hour: number): boolean => (hour - new Date().getUTCHours() + 24) % 24 > 2
  const hours = Array.from({ length: 24 }, (_, hour) => hour).filter(free)
  return Array.from({ length: 500 }, (_, index) => {
    const hour = hours[index % hours.length]
    return `0 ${Math.floor(index / hours.length)} ${hour} * * *`
  })
}

/** The list of jobs, which only the library keeps hold of afterwards, as far as it does. */
function listOf(count: number): TimerJob[] {
  const all = patterns()
  return Array.from({ length: count }, (_, index) => ({
    name: `job-${index}`,
    pattern: all[index % all.length] ?? '',
    work: () => {},
  }))
}

async function registered(): Promise<object> {
  const empty = await memory()
  const list = listOf(jobs)
  const from = performance.now()
  await libraries[name]?.(list)
  const start = performance.now() - from
  list.length = 0
  await sleep(2_000)
  const usage = process.cpuUsage()
  const since = performance.now()
  await sleep(5_000)
  const { user, system } = process.cpuUsage(usage)
  const idle = (user + system) / 10 / (performance.now() - since)
  return { memory: (await memory()) - empty, start, idle }
}

/** From one tick of all jobs to the next, in ms: so long that what a tick brings has ended by then, and a late run can be told from an early one. */
const PERIOD = 5_000
const TICKS = 3

async function lateness(): Promise<object> {
  const late: number[] = []
  const work = (): void => {
    const ms = Date.now() % PERIOD
    late.push(ms > PERIOD - 100 ? ms - PERIOD : ms)
  }
  const list = Array.from({ length: jobs }, (_, index) => ({ name: `job-${index}`, pattern: '*/5 * * * * *', work }))
  await libraries[name]?.(list)
  // After the first tick, which compiles the code, from the middle between two ticks to another.
  await sleep(2.5 * PERIOD - (Date.now() % PERIOD))
  late.length = 0
  await sleep(TICKS * PERIOD)
  return { late, runs: late.length }
}

const told = await (mode === 'registered' ? registered() : lateness())
process.send?.(told, () => process.exit(0))
