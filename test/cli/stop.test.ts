import { describe, expect, it, onTestFinished } from 'vitest'
import { dead, type LogLine, until, Workplace } from './ticklock.ts'

/** A job whose shell and its child write down their ids, and end when the file `go` is there. */
const slow = (extra = '', trap = ''): string => `
stopGraceFor: 500ms
defaults: { lockAtMostFor: 1m }
jobs:
  - name: slow
    every: 100ms
    killAfter: 500ms${extra}
    shell: |
      ${trap}
      sh -c '${trap && 'trap "" TERM;'} echo $$ >> child; while [ ! -e go ]; do sleep 0.05; done' &
      echo $$ >> begun
      wait
      echo x >> done
`
const longGrace = slow().replace('stopGraceFor: 500ms', 'stopGraceFor: 10m')

async function lockOf(place: Workplace): Promise<{ state: string }> {
  const { stdout } = await place.run(['status', 'slow', '--json'])
  return (JSON.parse(stdout) as { locks: [{ state: string }] }).locks[0]
}

describe('ticklock run at SIGTERM', () => {
  it('waits for a slow process, releases its lock and ends with 0', async () => {
    await using place = new Workplace()
    place.config(longGrace)
    const node = place.start(['run'])
    await place.line('begun')
    await place.line('child')
    node.signal('SIGTERM')
    await node.line(({ msg }) => msg.startsWith('SIGTERM: no new ticks'), 'the stop')
    expect(place.has('done')).toBe(false)
    expect(await lockOf(place)).toMatchObject({ state: 'held' })
    place.write('go', '')
    expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
    expect(place.lines('done')).toEqual(['x'])
    expect(place.lines('begun')).toHaveLength(1)
    expect(await lockOf(place)).toMatchObject({ state: 'free' })
  })

  it('ends a process that takes longer than stopGraceFor, with its children, and releases its lock', async () => {
    await using place = new Workplace()
    place.config(slow())
    const node = place.start(['run'])
    const pids = await Promise.all([place.line('begun'), place.line('child')])
    node.signal('SIGTERM')
    expect(await node.ended).toMatchObject({ code: 0 })
    await Promise.all(pids.map((pid) => dead(Number(pid))))
    expect(place.has('done')).toBe(false)
    expect(node.log.find(({ msg }) => msg === 'job failed')).toMatchObject({
      err: { message: 'the scheduler is stopping, and its grace has passed' },
    })
    expect(await lockOf(place)).toMatchObject({ state: 'free' })
  })

  it('kills processes that ignore SIGTERM after killAfter, and releases the lock', async () => {
    await using place = new Workplace()
    place.config(slow('', 'trap "" TERM'))
    const node = place.start(['run'])
    const pids = await Promise.all([place.line('begun'), place.line('child')])
    node.signal('SIGTERM')
    expect(await node.ended).toMatchObject({ code: 0 })
    await Promise.all(pids.map((pid) => dead(Number(pid))))
    expect(await lockOf(place)).toMatchObject({ state: 'free' })
  })

  it('a second time, a second later, ends at once, kills the processes, and leaves the lock to lapse', async () => {
    await using place = new Workplace()
    place.config(longGrace)
    const node = place.start(['run'])
    const pids = await Promise.all([place.line('begun'), place.line('child')])
    node.signal('SIGTERM')
    const impatient = setInterval(() => node.signal('SIGTERM'), 100)
    onTestFinished(() => clearInterval(impatient))
    expect(await node.ended).toMatchObject({ code: 143 })
    await Promise.all(pids.map((pid) => dead(Number(pid))))
    expect(await lockOf(place)).toMatchObject({ state: 'held' })
  })

  it('takes signals that come together for one, as timeout sends them', async () => {
    await using place = new Workplace()
    place.config(longGrace)
    const node = place.start(['run'])
    await place.line('begun')
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) node.signal(signal)
    await node.line(({ msg }) => msg.startsWith('SIG'), 'the stop')
    place.write('go', '')
    expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
    expect(place.lines('done')).toEqual(['x'])
    expect(node.log.filter(({ msg }) => msg.startsWith('SIG'))).toHaveLength(1)
  })
})

describe('ticklock run whose log nobody reads any more', () => {
  it('begins nothing, waits for its runs, releases, and ends with 74', async () => {
    await using place = new Workplace()
    place.config(`${longGrace}\n  - { name: beat, every: 100ms, shell: echo beat }`)
    const node = place.start(['run'])
    await place.line('begun')
    node.process.stdout?.destroy()
    await until(
      () => node.stderr.startsWith('ticklock: nobody reads the log any more; no new ticks; waits for the runs'),
      () => `the message on stderr: ${node.stderr}`,
    )
    expect(place.has('done')).toBe(false)
    expect(await lockOf(place)).toMatchObject({ state: 'held' })
    place.write('go', '')
    expect(await node.ended).toMatchObject({ code: 74 })
    expect(place.lines('done')).toEqual(['x'])
    expect(await lockOf(place)).toMatchObject({ state: 'free' })
  })

  it('goes on when the disk of its log is full, and when its stderr is closed', async () => {
    await using place = new Workplace()
    place.config('jobs: [{ name: beat, every: 100ms, lockAtMostFor: 1m, shell: echo x >> beat }]')
    const node = place.start(['run'], {}, ['sh', '-c', 'exec "$@" > /dev/full', 'sh'])
    node.process.stderr?.destroy()
    await until(
      () => place.lines('beat').length > 3,
      () => 'four runs',
    )
    node.signal('SIGTERM')
    expect(await node.ended).toMatchObject({ code: 0 })
  })

  it('is no reason to break off a run that was triggered', async () => {
    await using place = new Workplace()
    place.config(
      "jobs: [{ name: a, every: 1h, lockAtMostFor: 1m, shell: 'echo x >> begun; while [ ! -e go ]; do echo x; echo x >> printed; sleep 0.05; done; echo x >> done' }]",
    )
    const node = place.start(['trigger', 'a'])
    await place.line('begun')
    node.process.stdout?.destroy()
    const printed = place.lines('printed').length
    await until(
      () => place.lines('printed').length > printed + 5,
      () => 'more lines of its output',
    )
    place.write('go', '')
    expect(await node.ended).toMatchObject({ code: 0 })
    expect(place.lines('done')).toEqual(['x'])
  })
})

describe('an error in a module job that nobody caught', () => {
  it.each([
    ['a rejection', "Promise.reject(new Error('boom'))"],
    ['a rejection with no error', "Promise.reject('boom')"],
    ['an error in a timer', "setTimeout(() => { throw new Error('boom') })"],
    ['an error event', "setTimeout(() => new EventEmitter().emit('error', new Error('boom')))"],
  ])('(%s) is logged; ticklock run waits for its runs, releases, and ends with 1', async (_, body) => {
    await using place = new Workplace()
    place.write(
      'boom.mjs',
      `import { existsSync } from 'node:fs'
import { EventEmitter } from 'node:events'
export const run = () => { if (existsSync('begun')) ${body} }`,
    )
    place.config(`${longGrace}\n  - { name: boom, every: 100ms, module: ./boom.mjs#run }`)
    const node = place.start(['run'])
    const line = await node.line(({ msg }) => msg.includes('in a module job or a package'), 'the error')
    expect(line).toMatchObject({ level: 50, err: { message: expect.stringContaining('boom') } })
    expect(place.has('done')).toBe(false)
    place.write('go', '')
    expect(await node.ended).toMatchObject({ code: 1, stderr: '' })
    expect(place.lines('done')).toEqual(['x'])
    expect(await lockOf(place)).toMatchObject({ state: 'free' })
  })

  it('makes ticklock trigger end with 1, after the run', async () => {
    await using place = new Workplace()
    place.write('boom.mjs', "export const run = () => { Promise.reject(new Error('boom')) }")
    place.config('jobs: [{ name: boom, every: 1h, lockAtMostFor: 1m, module: ./boom.mjs#run }]')
    const { code, stdout } = await place.run(['trigger', 'boom'])
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('"message":"boom"') })
    const { stdout: status } = await place.run(['status', '--json'])
    expect(JSON.parse(status)).toMatchObject({ locks: [{ state: 'free' }] })
  })
})

describe('a job of ticklock run', () => {
  it('that takes longer than its timeout is ended with its children, and has failed', async () => {
    await using place = new Workplace()
    place.config(slow('\n    timeout: 3s')) // Both processes have begun by then.
    const node = place.start(['run'])
    const pids = await Promise.all([place.line('begun'), place.line('child')])
    const failed = await node.line(({ msg }) => msg === 'job failed', 'the failure')
    expect(failed).toMatchObject({
      job: 'slow',
      err: { type: 'JobFailedError', message: 'took longer than its timeout of 3000 ms' },
    })
    await Promise.all(pids.map((pid) => dead(Number(pid))))
  })

  it('whose lock is taken away gets SIGTERM at the next renewal', async () => {
    await using place = new Workplace()
    place.config(slow().replace('lockAtMostFor: 1m', 'lockAtMostFor: 1500ms, keepAlive: true'))
    const node = place.start(['run'])
    const pids = await Promise.all([place.line('begun'), place.line('child')])
    const unlocked = await place.run(['unlock', 'slow', '--yes'])
    expect(unlocked).toMatchObject({ code: 0, stdout: '✓ slow is free\n' })
    await node.line(({ msg }) => msg === 'lock lost while the job ran', 'the loss')
    await Promise.all(pids.map((pid) => dead(Number(pid))))
  })

  it.each([
    ['never settles', 'await new Promise(() => {})'],
    ['never finishes its import', '', 'await new Promise(() => {})\n'],
  ])(
    'that is a function which %s has failed at its timeout, and blocks the job for its lease alone',
    async (_, body, top = '') => {
      await using place = new Workplace()
      place.write('hangs.mjs', `${top}export const run = async () => { ${body} }`)
      place.config(`
jobs:
  - { name: hangs, every: 100ms, lockAtMostFor: 1s, keepAlive: true, timeout: 300ms, module: ./hangs.mjs#run }
`)
      const node = place.start(['run'])
      const failures = (): LogLine[] => node.log.filter(({ msg }) => msg === 'job failed')
      await until(
        () => failures().length >= 2,
        () => `two runs that failed in the log:\n${node.stdout}`,
      )
      for (const { err } of failures()) expect(err).toMatchObject({ message: 'took longer than its timeout of 300 ms' })
      node.signal('SIGTERM')
      expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
    },
  )
})
