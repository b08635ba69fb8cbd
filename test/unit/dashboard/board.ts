import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { memory } from '../../../providers/memory/memory.ts'
import { type DashboardOptions, dashboard } from '../../../src/dashboard/index.ts'
import type { HistoryEntry } from '../../../src/provider/history.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'

export const TOKEN = 'correct horse battery staple'
export const OWN = { 'x-ticklock': 'page', 'content-type': 'application/json' }

/** A dashboard over one job in memory. */
export function page(options: Partial<DashboardOptions> = {}) {
  const provider = memory()
  const scheduler = new Scheduler({ provider, label: 'node1', defaults: { lockAtMostFor: '1m' } })
  scheduler.job({ name: 'report', cron: '0 2 * * *', timezone: 'Europe/Berlin', metadata: 'team a' }, () => {})
  const board = dashboard({ schedulers: scheduler, token: TOKEN, ...options })
  onTestFinished(async () => {
    board.close()
    await scheduler.stop()
  })
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    Promise.resolve(board.fetch(new Request(`http://localhost${path}`, init)))
  const act = (body: object, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
    ask('/api/act', { method: 'POST', headers: { ...OWN, ...headers }, body: JSON.stringify(body) })
  return { provider, scheduler, board, ask, act }
}

export const entry = (more: Partial<HistoryEntry>): HistoryEntry => ({
  id: crypto.randomUUID(),
  job: 'report',
  node: 'node1',
  kind: 'schedule',
  outcome: 'succeeded',
  scheduledAt: Date.now(),
  at: Date.now(),
  duration: 10,
  ...more,
})

/** Listens on a free port of this machine, until the test has finished. Returns the address. */
export async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
