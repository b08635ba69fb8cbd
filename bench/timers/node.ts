// One process that sets timers and tells what they cost: node.ts registered|lateness|empty <library> <jobs>
import { setTimeout as sleep } from 'node:timers/promises'
import { libraries, type TimerJob } from './libraries.ts'

const [mode = '', name = '', count = '0'] = process.argv.slice(2)
const jobs = Number(count)

const memory = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().rss / 2 ** 20
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

async function registered(): Promise<object> {
  const all = patterns()
  const list: TimerJob[] = []
  for (let index = 0; index < jobs; index++)
    list.push({ name: `job-${index}`, pattern: all[index % all.length] ?? '', work: () => {} })
  const before = memory()
  const from = performance.now()
  await libraries[name]?.(list)
  const start = performance.now() - from
  await sleep(2_000)
  const usage = process.cpuUsage()
  const since = performance.now()
  await sleep(5_000)
  const { user, system } = process.cpuUsage(usage)
  const idle = (user + system) / 10 / (performance.now() - since)
  return { memory: memory() - before, start, idle }
}

async function lateness(): Promise<object> {
  const late: number[] = []
  const work = (): void => void late.push(Date.now() % 1_000)
  const list = Array.from({ length: jobs }, (_, index) => ({ name: `job-${index}`, pattern: '* * * * * *', work }))
  await libraries[name]?.(list)
  await sleep(4_000)
  late.length = 0
  await sleep(6_000)
  // A run late in one second can't be told from one that is early in the next; none is early.
  return { late: late.sort((a, b) => a - b), runs: late.length }
}

const told = await (mode === 'registered' ? registered() : lateness())
process.send?.(told, () => process.exit(0))
