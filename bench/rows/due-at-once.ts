import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Scheduler } from '../../src/index.ts'
import { inTurns } from '../harness/in-turns.ts'
import { atLeast, atMost, figure } from '../harness/result.ts'
import type { Row } from '../harness/row.ts'
import { median } from '../harness/statistics.ts'
import { type MeasuredStore, onEach } from '../stores/index.ts'

const JOBS = 10_000
const NAMES = Array.from({ length: JOBS }, (_, index) => `bench-${index}`)
const CONNECTIONS = 10
/** Ticks that are measured, after as many that only warm up. */
const TICKS = 5
/** Between two ticks, in ms: long enough for all that a tick brings to end. */
const EVERY = 4_000
const BOUNDS: Readonly<Record<string, number>> = { postgres: 150, redis: 300 }

/** The second in which every job is due, on one node, which is granted them all. */
export const dueAtOnce: Row = {
  name: 'due-at-once',
  what: '10,000 jobs due in one second on one node: from the tick until all are decided, against one by one over a pool of 10',
  run: (context) =>
    onEach(context, ['postgres', 'redis'], CONNECTIONS, async (store) => {
      const { decided, cpu } = await scheduled(store)
      const singly = await oneByOne(store)
      return [
        figure('due-at-once', store.name, decided, 'ms', atMost(BOUNDS[store.name] ?? Number.NaN)),
        figure('due-at-once: against one by one', store.name, singly / decided, 'times', atLeast(10)),
        figure('due-at-once: CPU of the node for a tick of all', store.name, cpu, 'ms'),
      ]
    }),
}

/** From a tick until its last job is decided, and what the whole tick costs this process, runs and releases included. */
async function scheduled(store: MeasuredStore): Promise<{ decided: number; cpu: number }> {
  const scheduler = new Scheduler({
    provider: store.provider,
    logger: false,
    defaults: { lockAtMostFor: '1h' },
    keepProviderOpen: true,
  })
  for (const name of NAMES) scheduler.job({ name, every: EVERY }, () => {})
  await scheduler.start()
  const ticks: { decided: number; cpu: number }[] = []
  for (let tick = 0; tick < 2 * TICKS; tick++) ticks.push(await oneTick(scheduler))
  await scheduler.stop()
  const counted = ticks.slice(TICKS)
  return { decided: median(counted.map(({ decided }) => decided)), cpu: median(counted.map(({ cpu }) => cpu)) }
}

async function oneTick(scheduler: Scheduler): Promise<{ decided: number; cpu: number }> {
  const before = process.cpuUsage()
  const decided = await new Promise<number>((resolve) => {
    let count = 0
    const off = scheduler.on('acquired', ({ scheduledAt }) => {
      if (++count < JOBS) return
      off()
      resolve(Date.now() - scheduledAt.getTime())
    })
  })
  // In the middle between two ticks all has ended.
  await sleep(EVERY / 2)
  const { user, system } = process.cpuUsage(before)
  return { decided, cpu: (user + system) / 1_000 }
}

async function oneByOne({ provider, connections, forget }: MeasuredStore): Promise<number> {
  const ask = (name: string) => ({
    name,
    owner: randomUUID(),
    label: 'bench',
    lockAtMostFor: 3_600_000,
    maxClockSkew: 0,
  })
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    await forget()
    const from = performance.now()
    await inTurns(NAMES, connections, (name) => provider.acquire([ask(name)]))
    times.push(performance.now() - from)
  }
  return median(times)
}
