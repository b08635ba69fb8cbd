// One node under a steady rate: node.ts <postgres or redis> <url> <jobs, each due each second> <'history' or ''>. Is
// sent the span that counts, and 'stop'.
import pg from 'pg'
import { postgres } from '../../providers/postgres/index.ts'
import { redis } from '../../providers/redis/index.ts'
import { recordHistory } from '../../src/history/index.ts'
import { Scheduler } from '../../src/index.ts'
import type { Minute, NodeReport, Span } from './protocol.ts'

const [store = '', url = '', jobs = '0', history = ''] = process.argv.slice(2)
const pool = store === 'postgres' ? new pg.Pool({ connectionString: url, max: 4 }) : undefined
const provider = pool ? postgres(pool) : redis(url)
const scheduler = new Scheduler({ provider, logger: false, defaults: { lockAtMostFor: '1m' } })
if (history) recordHistory(scheduler)

const bits = Math.ceil(Number(jobs) / 8)
const ran = new Map<number, Uint8Array>()
const minutes: Minute[] = []
let late = new Map<number, number>()
let again = 0
let span: Span | undefined
for (let job = 0; job < Number(jobs); job++)
  scheduler.job({ name: `job-${job}`, every: 1_000 }, ({ scheduledAt }) => note(job, scheduledAt.getTime()))

function note(job: number, tick: number): void {
  if (!span || tick < span.from || tick >= span.to) return
  const ms = Date.now() - tick
  late.set(ms, (late.get(ms) ?? 0) + 1)
  const marks = ran.get(tick) ?? new Uint8Array(bits)
  ran.set(tick, marks)
  const mark = 1 << (job & 7)
  if ((marks[job >> 3] ?? 0) & mark) again++
  marks[job >> 3] = (marks[job >> 3] ?? 0) | mark
}

function endMinute(before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before)
  minutes.push({ late: [...late], cpu: (user + system) / 1_000, memory: process.memoryUsage.rss() })
  late = new Map()
}

function watch({ from, to, minute }: Span): void {
  const end = Math.min(from + minute, to)
  const before = process.cpuUsage()
  setTimeout(() => {
    endMinute(before)
    if (end < to) watch({ from: end, to, minute })
  }, end - Date.now())
}

process.on('message', async (message: Span | 'stop') => {
  if (message === 'stop') return await stop()
  span = message
  setTimeout(watch, message.from - Date.now(), message)
})

async function stop(): Promise<void> {
  await scheduler.stop()
  await pool?.end()
  // What began after the end belongs to the last minute.
  const last = minutes.pop()
  if (last) minutes.push({ ...last, late: [...last.late, ...late] })
  const marks = [...ran].map(([tick, own]) => [tick, Buffer.from(own).toString('base64')] as const)
  process.send?.({ minutes, ran: marks, again } satisfies NodeReport, () => process.exit(0))
}

await scheduler.start()
process.send?.('ready')
