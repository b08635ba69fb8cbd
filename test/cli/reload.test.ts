import { describe, expect, it } from 'vitest'
import { type Ticklock, until, Workplace } from './ticklock.ts'

const before = `
defaults: { lockAtMostFor: 1m }
jobs:
  - { name: steady, every: 100ms, shell: 'echo x >> steady' }
  - { name: slow, every: 200ms, shell: 'echo x >> slow-begun; while [ ! -e go ]; do sleep 0.05; done; echo x >> slow-done' }
  - { name: changing, every: 100ms, shell: 'echo old >> changing' }
  - { name: leaving, every: 100ms, shell: 'echo x >> leaving' }
`
const after = `
defaults: { lockAtMostFor: 1m }
jobs:
  - { name: steady, every: 100ms, shell: 'echo x >> steady' }
  - { name: changing, every: 100ms, shell: 'echo new >> changing' }
  - { name: coming, every: 100ms, shell: 'echo x >> coming' }
`
const TAKEN_OVER = 'config taken over: added coming; changed changing; removed slow, leaving; 1 as before'

async function provesReload(
  args: readonly string[],
  change: (place: Workplace, node: Ticklock) => string,
): Promise<void> {
  await using place = new Workplace()
  place.config(before)
  const node = place.start(['run', ...args])
  await Promise.all(['steady', 'slow-begun', 'changing', 'leaving'].map((file) => place.line(file)))

  place.config(after)
  const why = change(place, node)
  await node.line(({ msg }) => msg === `${why}: ${TAKEN_OVER}`, 'the new config')
  await Promise.all([place.line('coming'), place.line('changing', (line) => line === 'new')])
  // The run of the job that was taken out goes on to its end.
  expect(place.has('slow-done')).toBe(false)
  place.write('go', '')
  await place.line('slow-done')
  const left = place.lines('leaving').length
  const steady = place.lines('steady').length
  await until(
    () => place.lines('steady').length > steady + 3,
    () => 'more ticks',
  )
  expect(place.lines('leaving').length).toBeLessThanOrEqual(left + 1)
  node.signal('SIGTERM')
  expect(await node.ended).toMatchObject({ code: 0 })
}

describe('a changed config', () => {
  it('is taken over at SIGHUP: jobs come, change and go, runs under way go on', () =>
    provesReload([], (_, node) => {
      node.signal('SIGHUP')
      return 'SIGHUP'
    }))

  it('is taken over by itself with --watch', () => provesReload(['--watch'], () => 'the file changed'))

  it('that is wrong is told with its mistakes, and the one in use stays', async () => {
    await using place = new Workplace()
    place.config(before)
    place.write('go', '')
    const node = place.start(['run'])
    await place.line('steady')
    place.config(before.replace('name: steady, every', 'name: steady, evry'))
    node.signal('SIGHUP')
    const line = await node.line(({ level }) => level === 50, 'the mistake')
    expect(line.msg).toBe(`SIGHUP: the new config is wrong, the one in use stays:
ticklock.config.yaml:4:5: job "steady": cron or every is missing: a job needs one of them
    4 |   - { name: steady, evry: 100ms, shell: 'echo x >> steady' }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

ticklock.config.yaml:4:21: job "steady": unknown option "evry"; did you mean "every"?
    4 |   - { name: steady, evry: 100ms, shell: 'echo x >> steady' }
      |                     ^^^^`)
    const had = place.lines('steady').length
    await until(
      () => place.lines('steady').length > had + 2,
      () => 'more ticks',
    )
    // Mended, it is taken over.
    place.config(after)
    node.signal('SIGHUP')
    await place.line('coming')
    node.signal('SIGINT')
    expect(await node.ended).toMatchObject({ code: 0 })
  })

  it('may bring another store: the jobs move, a run under way goes on', async () => {
    await using place = new Workplace()
    place.config(before)
    const node = place.start(['run'])
    await place.line('slow-begun')
    place.config(
      before.replace('defaults', 'store: sqlite:./other.sqlite\ndefaults').replaceAll('x >> steady', 'moved >> steady'),
    )
    node.signal('SIGHUP')
    await place.line('steady', (line) => line === 'moved')
    expect(place.has('other.sqlite')).toBe(true)
    place.write('go', '')
    await place.line('slow-done')
    node.signal('SIGTERM')
    expect(await node.ended).toMatchObject({ code: 0 })
  })
})
