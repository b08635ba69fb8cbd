import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { installed } from './installed.ts'
import { until, Workplace } from './ticklock.ts'

/** Namespaces of processes are Linux's, and only root may make one. */
const canUnshare = existsSync('/proc/self/ns/pid') && process.getuid?.() === 0
const tini = canUnshare ? await installed('tini') : undefined
const STORE = { TICKLOCK_STORE: 'sqlite:./locks.sqlite' }

/** Leaves an orphan behind that dies with its group: its parent has ended, so PID 1 has to collect it. */
const ORPHANS = '(sleep 600 & sleep 600 &); echo x >> begun; sleep 600'

/** The first process of a container: what runs in it as PID 1, seen from outside. */
function firstChild(of: number): number | undefined {
  for (const task of readdirSync(`/proc/${of}/task`)) {
    const [child] = readFileSync(`/proc/${of}/task/${task}/children`, 'utf8').split(' ')
    if (child) return Number(child)
  }
  return undefined
}

describe.skipIf(!canUnshare)('in a container', () => {
  describe.each([['as PID 1', []], ...(tini ? [['below tini', [tini, '--']] as const] : [])] as const)(
    '%s',
    (_, init) => {
      const within = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', ...init]

      it('exec ends at its --timeout, though its group leaves zombies', async () => {
        await using place = new Workplace()
        const args = ['exec', 'a', '--timeout', '1s', '--kill-after', '500ms', '--', 'sh', '-c', ORPHANS]
        expect(await place.start(args, STORE, within).ended).toMatchObject({ code: 124 })
        expect((await place.run(['exec', 'a', '--', 'true'], STORE)).code).toBe(0)
      })

      it('exec ends with the code of its command', async () => {
        await using place = new Workplace()
        const args = ['exec', 'a', '--', 'sh', '-c', '(sleep 600 &); exit 7']
        expect(await place.start(args, STORE, within).ended).toMatchObject({ code: 7 })
      })

      it('run ends a job at its timeout, and begins its next tick', async () => {
        await using place = new Workplace()
        place.config(`
jobs:
  - name: orphans
    every: 100ms
    lockAtMostFor: 1m
    keepAlive: true
    timeout: 300ms
    killAfter: 200ms
    shell: ${ORPHANS}
`)
        const node = place.start(['run'], {}, within)
        await until(
          () => place.lines('begun').length >= 3,
          () => `three runs in the log:\n${node.stdout}${node.stderr}`,
        )
        process.kill(firstChild(node.process.pid as number) as number, 'SIGTERM')
        expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
        const { stdout } = await place.run(['status', '--json'])
        expect(JSON.parse(stdout)).toMatchObject({ locks: [{ state: 'free' }] })
      })

      it('run waits for its runs at SIGTERM, releases, and ends with 0', async () => {
        await using place = new Workplace()
        place.config(`
jobs:
  - { name: slow, every: 100ms, lockAtMostFor: 1m, shell: 'echo x >> begun; while [ ! -e go ]; do sleep 0.05; done; echo x >> done' }
`)
        const node = place.start(['run'], {}, within)
        await place.line('begun')
        process.kill(firstChild(node.process.pid as number) as number, 'SIGTERM')
        await node.line(({ msg }) => msg.startsWith('SIGTERM: no new ticks'), 'the stop')
        place.write('go', '')
        expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
        expect(place.lines('done')).toEqual(place.lines('begun'))
      })
    },
  )
})

describe.skipIf(!canUnshare)('a command that can not be killed', () => {
  // Root without CAP_KILL may not send signals to processes of others.
  const within = ['setpriv', '--bounding-set', '-kill', '--inh-caps', '-kill']
  const foreign = 'echo $$ >> foreign; exec setpriv --reuid 65534 sleep 600 > /dev/null 2>&1'

  it('is not waited for by exec, which says so and leaves the lock to expire', async () => {
    await using place = new Workplace()
    const args = ['exec', 'a', '--timeout', '500ms', '--kill-after', '100ms', '--', 'sh', '-c', foreign]
    const exec = place.start(args, STORE, within)
    const pid = Number(await place.line('foreign'))
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    expect(await exec.ended).toMatchObject({
      code: 124,
      stderr: expect.stringContaining(`ticklock: process ${pid} can't be killed: it belongs to another user`),
    })
    expect(await place.run(['exec', 'a', '--', 'true'], STORE)).toMatchObject({ code: 75 })
  })

  it('counts as a failed run of its job', async () => {
    await using place = new Workplace()
    place.config(`
jobs:
  - { name: foreign, every: 100ms, lockAtMostFor: 1m, timeout: 300ms, killAfter: 0, shell: '${foreign}' }
`)
    const node = place.start(['run'], {}, within)
    const pid = Number(await place.line('foreign'))
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    expect(await node.line(({ msg }) => msg === 'job failed', 'the failure')).toMatchObject({
      err: { message: expect.stringContaining(`process ${pid} can't be killed`) },
    })
    const { stdout } = await place.run(['status', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ locks: [{ state: 'held' }] })
  })
})
