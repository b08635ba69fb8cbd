import { describe, expect, it } from 'vitest'
import { type LogLine, until, Workplace } from './ticklock.ts'

describe('a command that prints as fast as it can', () => {
  const commands = [
    ['short lines', 'exec yes'],
    ['long lines', `exec yes ${'x'.repeat(10_000)}`],
    ['no lines', 'cat /dev/zero | tr "\\0" x'],
    ['lines on both outputs', 'yes >&2 & exec yes'],
  ]

  it.each(commands)(
    '(%s) is ended at its timeout, other jobs run beside it, and its log is bounded',
    async (_, shell) => {
      await using place = new Workplace()
      place.write('beat.mjs', 'export const run = () => {}')
      place.config(`
jobs:
  - { name: fast, every: 100ms, lockAtMostFor: 30s, timeout: 3s, shell: '${shell}' }
  - { name: beat, every: 200ms, lockAtMostFor: 30s, module: ./beat.mjs#run }
`)
      const node = place.start(['run', '--log-level', 'debug'])
      // Without reading all of a long log each time.
      await until(
        () => node.stdout.includes('took longer than its timeout of 3000 ms'),
        () => `the failure in the log, of which these are the last lines:\n${node.stdout.slice(-2_000)}`,
      )
      const of = (job: string, msg: string): LogLine[] =>
        node.log.filter((line) => line.job === job && line.msg === msg)
      const [started] = of('fast', 'job started')
      const [failed] = of('fast', 'job failed')
      const beats = of('beat', 'job succeeded').filter(
        ({ time }) => Number(time) > Number(started?.time) && Number(time) < Number(failed?.time),
      )
      expect(beats).not.toEqual([])
      expect(node.stdout.length).toBeLessThan(16 * 2 ** 20)
    },
  )

  it.each(commands)(
    '(%s) is told how much of its output was dropped, and does not keep ticklock from stopping',
    async (_, shell) => {
      await using place = new Workplace()
      place.config(`
stopGraceFor: 0
jobs: [{ name: fast, every: 100ms, lockAtMostFor: 1m, keepAlive: true, shell: '${shell}' }]
`)
      const node = place.start(['run'])
      await until(
        () => node.stdout.includes('"msg":"dropped '),
        () => `the report in the log, of which these are the last lines:\n${node.stdout.slice(-2_000)}`,
      )
      node.signal('SIGTERM')
      expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
      expect(node.log.find(({ msg }) => /^dropped [\d,]+ lines \([\d.]+ MiB\) of output/.test(msg))).toMatchObject({
        level: 40,
        job: 'fast',
        dropped: { bytes: expect.any(Number) },
      })
    },
  )
})
