/* History on Redis whose keys were spoilt: the rest is read, and what is spoilt is dropped in time. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { redis } from '../../providers/redis/redis.ts'
import type { HistoryEntry, RunHistory } from '../../src/provider/history.ts'

const server = inject('servers').redis

describe.skipIf('unavailable' in server)('history on redis', () => {
  if ('unavailable' in server) return
  const client = new Redis(server.url)
  const at = Date.UTC(2040, 0)
  let base: string
  let history: RunHistory
  beforeEach(() => {
    const prefix = `test-${randomUUID()}:`
    base = `:history:{${prefix}}`
    history = redis({ client, prefix }).history as RunHistory
  })
  afterAll(async () => {
    const keys = await client.keys(':history:{test-*')
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  })

  const entry = (more: Partial<HistoryEntry> = {}): HistoryEntry => ({
    ...{ id: randomUUID(), job: 'report', node: 'n', kind: 'schedule', outcome: 'succeeded', scheduledAt: at, at },
    ...more,
  })
  const idsIn = (entries: readonly HistoryEntry[]) => entries.map(({ id }) => id).sort()
  /** All that a page asks for. */
  const readings = async () => [
    idsIn(await history.read({ limit: 100 })),
    idsIn(await history.read({ job: 'report', limit: 100 })),
    idsIn(await history.read({ changedSince: 1, limit: 100 })),
    idsIn(await history.latest(['report'], 100)),
  ]
  const keysLeft = async () => (await client.keys(`${base}*`)).sort()

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['no object', '5'],
    ['null', 'null'],
    ['no entry', '{"id": 5}'],
    ['no time', '{"id":"x","job":"report"}'],
  ])('goes past an entry that is %s, and drops it in time', async (_what, json) => {
    const [good, bad] = [entry(), entry({ at: at + 1 })]
    await history.write([good, bad], { label: 'n', startedAt: 1, skew: 0, running: 0, stopped: false })
    const member = (await client.hkeys(`${base}entries`)).find((key) => key.endsWith(bad.id)) ?? ''
    await client.hset(`${base}entries`, member, json)
    for (const found of await readings()) expect(found).toEqual([good.id])
    expect(await history.trim({ olderThanMs: -60_000, most: 100 })).toBe(2)
    expect(await keysLeft()).toEqual([])
  })

  it('goes past an id without its entry, and drops it in time', async () => {
    const entries = [entry(), entry({ outcome: 'running', at: at + 1 }), entry({ at: at + 2 })]
    await history.write(entries)
    const [first = ''] = await client.hkeys(`${base}entries`)
    await client.hdel(`${base}entries`, first)
    const left = idsIn(entries.filter(({ id }) => !first.endsWith(id)))
    for (const found of await readings()) expect(found).toEqual(left)
    await client.del(`${base}entries`)
    for (const found of await readings()) expect(found).toEqual([])
    const later = entry({ at: at + 3 })
    await history.write([later])
    for (const found of await readings()) expect(found).toEqual([later.id])
    expect(await history.trim({ olderThanMs: 3_600_000, most: 1 })).toBe(3)
    for (const found of await readings()) expect(found).toEqual([later.id])
    expect(await history.trim({ olderThanMs: -60_000, most: 1 })).toBe(1)
    expect(await keysLeft()).toEqual([])
  })

  it('goes past many ids without an entry, over pages', async () => {
    const entries = Array.from({ length: 1_200 }, (_, index) => entry({ at: at + index }))
    await history.write(entries)
    const members = (await client.hkeys(`${base}entries`)).sort()
    await client.hdel(`${base}entries`, ...members.slice(100))
    for (const found of [await history.read({ limit: 1_000 }), await history.read({ job: 'report', limit: 1_000 })])
      expect(idsIn(found)).toEqual(idsIn(entries.slice(0, 100)))
    expect(await history.trim({ olderThanMs: -60_000, most: 1 })).toBe(1_200)
  })

  it('goes past a node that can not be read, and drops it', async () => {
    const state = { label: 'good', startedAt: 1, skew: 0, running: 0, stopped: false }
    await history.write([], state)
    await client.hset(`${base}nodes`, { bad: 'x', worse: '17|{', nothing: '' })
    expect(await history.nodes()).toMatchObject([state])
    await history.trim({ olderThanMs: 60_000, most: 100 })
    expect(await client.hkeys(`${base}nodes`)).toEqual(['good'])
  })

  it('tells times of writing that are gone as 0', async () => {
    const one = entry()
    await history.write([one])
    await client.del(`${base}changed`)
    expect(await history.read({ job: 'report', limit: 5 })).toMatchObject([{ id: one.id, changedAt: 0 }])
  })

  it('keeps jobs apart whose names begin alike, and finds each by its times', async () => {
    const jobs = ['a', 'a:', 'aa', '1:a:', 'a:0000002208988800000:', 'ü', 'üü', '']
    const entries = jobs.flatMap((job) => [0, 1, 2].map((ms) => entry({ job, at: at + ms })))
    await history.write(entries)
    for (const job of jobs) {
      const own = entries.filter((each) => each.job === job)
      expect(idsIn(await history.read({ job, limit: 100 })), job).toEqual(idsIn(own))
      expect(idsIn(await history.latest([job], 2)), job).toEqual(idsIn(own.slice(1)))
      const middle = await history.read({ job, from: at + 1, to: at + 2, limit: 100 })
      expect(idsIn(middle), job).toEqual(idsIn(own.slice(1, 2)))
    }
  })
})
