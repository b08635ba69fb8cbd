/* Three processes of `ticklock run` share a store by its URL alone. */
import { describe, expect, inject, it } from 'vitest'
import { type Ticklock, until, Workplace } from './ticklock.ts'

const servers = inject('servers')
const EVERY = 200
const TICKS = 25

async function provesEachTickOnce(store: string): Promise<void> {
  await using place = new Workplace()
  const name = `three-${process.pid}-${Date.now()}`
  place.config(`
store: ${store}
jobs: [{ name: ${name}, every: ${EVERY}ms, lockAtMostFor: 5s, shell: 'echo "$TICKLOCK_SCHEDULED_AT $TICKLOCK_FENCING_TOKEN $NODE" >> ran' }]
`)
  const nodes: Record<string, Ticklock> = {}
  for (const node of ['one', 'two', 'three']) nodes[node] = place.start(['run'], { NODE: node })
  await Promise.all(Object.values(nodes).map((node) => node.running()))
  await until(
    () => place.lines('ran').length >= TICKS && new Set(place.lines('ran').map((line) => line.split(' ')[2])).size > 1,
    () => `${TICKS} runs on more than one node, but there are ${place.lines('ran').join('; ')}`,
  )
  for (const node of Object.values(nodes)) node.signal('SIGTERM')
  for (const node of Object.values(nodes)) expect(await node.ended).toMatchObject({ code: 0 })

  const runs = place.lines('ran').map((line) => line.split(' '))
  const ticks = runs.map(([tick = '']) => tick)
  expect(new Set(ticks).size).toBe(ticks.length)
  const tokens = [...runs].sort((a, b) => Number(a[1]) - Number(b[1])).map(([tick]) => tick)
  expect(tokens).toEqual([...ticks].sort())
}

describe('three processes of ticklock run', () => {
  for (const kind of ['dynamodb', 'etcd', 'nats', 'zookeeper'] as const) {
    const server = servers[kind]
    it.skipIf('unavailable' in server)(`run each tick once on ${kind}`, () =>
      provesEachTickOnce('url' in server ? server.url : ''),
    )
  }
})
