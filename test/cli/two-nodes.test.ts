import { describe, expect, inject, it } from 'vitest'
import { dead, isAlive, type Ticklock, until, Workplace } from './ticklock.ts'

const servers = inject('servers')

/**
 * Two processes of `ticklock run` share a store. One is killed in the middle of a job: the job's process dies with it, and the other node takes the tick over.
 */
async function provesOnceInTwo(store: string): Promise<void> {
  await using place = new Workplace()
  const name = `cli-${process.pid}-${Date.now()}`
  place.config(`
store: ${store}
defaults: { lockAtMostFor: 1500ms, keepAlive: true, onCrash: rerun }
jobs:
  - name: ${name}:instant
    every: 200ms
    onCrash: skip
    shell: echo "$TICKLOCK_SCHEDULED_AT $TICKLOCK_FENCING_TOKEN $NODE" >> instant
  - name: ${name}:long
    every: 2s
    shell: |
      [ -e ready ] || exit 0
      echo "$TICKLOCK_SCHEDULED_AT $NODE $$" >> begun
      echo begun
      [ -e go ] || sleep 600
      echo "$TICKLOCK_SCHEDULED_AT $NODE" >> done
`)
  const nodes: Record<string, Ticklock> = {}
  for (const node of ['one', 'two']) nodes[node] = place.start(['run'], { NODE: node })
  await Promise.all(Object.values(nodes).map((node) => node.running()))
  // Both ask for the tick from now on, so that the one that is refused takes it over.
  place.write('ready', '')

  const [tick = '', killed = '', pid = ''] = (await place.line('begun')).split(' ')
  // Its output was read, so its node has gone on since it began it.
  await nodes[killed]?.line(({ job, stream }) => stream === 'stdout' && job === `${name}:long`, 'its output')
  expect(isAlive(Number(pid))).toBe(true)
  nodes[killed]?.signal('SIGKILL')
  await dead(Number(pid))
  expect(place.lines('done')).toEqual([])
  place.write('go', '')
  const survivor = killed === 'one' ? 'two' : 'one'
  await place.line('done', (line) => line === `${tick} ${survivor}`)
  // And it goes on.
  await until(
    () => place.lines('done').length >= 3,
    () => 'three runs',
  )
  nodes[survivor]?.signal('SIGTERM')
  expect(await nodes[survivor]?.ended).toMatchObject({ code: 0, stderr: '' })

  const instant = place.lines('instant').map((line) => line.split(' '))
  const ticks = instant.map(([tick]) => tick)
  expect(new Set(ticks).size).toBe(ticks.length)
  const tokens = instant.map(([, token]) => Number(token))
  expect(new Set(tokens).size).toBe(tokens.length)
  expect(new Set(place.lines('done').map((line) => line.split(' ')[0])).size).toBe(place.lines('done').length)
}

describe('two processes of ticklock run, one of them killed', () => {
  it('run each tick once on one SQLite file', () => provesOnceInTwo('sqlite:./locks.sqlite'))

  const { postgres } = servers
  it.skipIf('unavailable' in postgres)('run each tick once on PostgreSQL', () =>
    provesOnceInTwo('url' in postgres ? postgres.url : ''),
  )
})
