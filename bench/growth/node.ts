// Nodes of a company that grows: node.ts <place> <url> <schedulers>. Is told the jobs, the period and the span of a cell, and tells what it measured.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { memory } from '../../providers/memory/index.ts'
import { postgres } from '../../providers/postgres/index.ts'
import { redis } from '../../providers/redis/index.ts'
import { type LockProvider, Scheduler } from '../../src/index.ts'
import type { Place } from './cells.ts'
import type { Order, Told } from './protocol.ts'

const [place = '', url = '', schedulers = '1'] = process.argv.slice(2)

const providers: Readonly<Record<Place, () => LockProvider>> = {
  postgres: () => postgres(new pg.Pool({ connectionString: url, max: 4 })),
  redis: () => redis(url),
  memory: () => memory(),
}

/** How often the provider was called: what statements are to a store. */
let calls = 0
const provider = providers[place as Place]()
const counted: LockProvider = new Proxy(provider, {
  get(target, property) {
    const value: unknown = Reflect.get(target, property, target)
    if (typeof value !== 'function') return value
    return (...args: unknown[]) => {
      calls++
      return value.apply(target, args)
    }
  },
})

/** Notes for each tick when its last job was decided on this node: granted or refused. */
function startNode({ jobs, period, cell }: Order, decided: Map<number, { count: number; last: number }>): Scheduler {
  // The memory provider's calls are counted here; a store counts for itself, and its own provider is used as it is.
  const scheduler = new Scheduler({
    provider: place === 'memory' ? counted : provider,
    logger: false,
    defaults: { lockAtMostFor: '10m' },
    keepProviderOpen: true,
  })
  const note = ({ scheduledAt }: { readonly scheduledAt: Date }): void => {
    const tick = scheduledAt.getTime()
    const entry = decided.get(tick) ?? { count: 0, last: 0 }
    entry.count++
    entry.last = Date.now() - tick
    decided.set(tick, entry)
  }
  scheduler.on('acquired', note)
  scheduler.on('skipped', note)
  for (let job = 0; job < jobs; job++) scheduler.job({ name: `${cell}-${job}`, every: period }, () => {})
  return scheduler
}

async function measure(order: Order): Promise<Told> {
  const { jobs, period, from, to } = order
  const decided = Array.from({ length: Number(schedulers) }, () => new Map<number, { count: number; last: number }>())
  const nodes = decided.map((own) => startNode(order, own))
  await Promise.all(nodes.map((node) => node.start()))
  // From the middle between two ticks to another: all that a tick brings belongs to it.
  await sleep(Math.max(0, from - period / 2 - Date.now()))
  const before = process.cpuUsage()
  const callsBefore = calls
  await sleep(Math.max(0, to - period / 2 - Date.now()))
  const { user, system } = process.cpuUsage(before)
  const told = { cpu: (user + system) / 1_000, calls: calls - callsBefore }
  await Promise.all(nodes.map((node) => node.stop()))
  const ticks: number[] = []
  for (let tick = from; tick < to; tick += period) {
    const entries = decided.map((own) => own.get(tick))
    // A tick that has not come to its end did not fit.
    ticks.push(
      entries.every((entry) => entry?.count === jobs) ? Math.max(...entries.map((entry) => entry?.last ?? 0)) : -1,
    )
  }
  return { ...told, ticks }
}

process.on('message', async (order: Order) => {
  process.send?.(await measure(order))
})
await provider.setup?.()
process.send?.('ready')
