import { describe, expect, it } from 'vitest'
import { dead, Workplace } from './ticklock.ts'

const STORE = { TICKLOCK_STORE: 'sqlite:./locks.sqlite' }

describe('ticklock exec', () => {
  it('from two shells at once has one winner; the other ends with 75 and says who has the lock', async () => {
    await using place = new Workplace()
    await place.run(['setup'], STORE)
    const args = ['exec', 'backup', '--', 'sh', '-c', 'echo $$ >> won; while [ ! -e go ]; do sleep 0.05; done']
    const both = [place.start(args, STORE), place.start(args, STORE)]
    const loser = await Promise.race(both.map(({ ended }) => ended))
    expect(loser).toMatchObject({ code: 75, stdout: '' })
    expect(loser.stderr).toMatch(/^ticklock: lock "backup" was not obtained: it is held by \S+:\d+ until \S+Z\n$/)
    place.write('go', '')
    const codes = (await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code)
    expect(codes.sort()).toEqual([0, 75])
    expect(place.lines('won')).toHaveLength(1)
  })

  it('ends with the exit code of the command, and 128 and the number of a signal that ended it', async () => {
    await using place = new Workplace()
    expect(await place.run(['exec', 'a', '--', 'sh', '-c', 'exit 7'], STORE)).toMatchObject({ code: 7, stderr: '' })
    expect(await place.run(['exec', 'a', '--', 'sh', '-c', 'kill -9 $$'], STORE)).toMatchObject({ code: 137 })
    expect(await place.run(['exec', 'a', '--', './none'], STORE)).toMatchObject({
      code: 127,
      stderr: "ticklock: the command can't be started: there is no program ./none\n",
    })
  })

  it('gives the command the lock in its environment, and its output goes through', async () => {
    await using place = new Workplace()
    const { stdout } = await place.run(
      ['exec', 'a', '--', 'sh', '-c', 'echo $TICKLOCK_JOB $TICKLOCK_FENCING_TOKEN $TICKLOCK_SCHEDULED_AT'],
      STORE,
    )
    expect(stdout).toMatch(/^a \d{16} \d{4}-\d\d-\d\dT\S+Z\n$/)
  })

  it('with --every-tick runs once for each tick, however often it is called', async () => {
    await using place = new Workplace()
    // A tick far off on both sides, so that none comes between the two calls.
    const args = ['exec', 'yearly', '--every-tick', '0 0 1 1 *', '--', 'sh', '-c', 'echo $TICKLOCK_SCHEDULED_AT']
    const first = await place.run(args, STORE)
    expect(first).toMatchObject({ code: 0, stdout: `${new Date().getUTCFullYear()}-01-01T00:00:00.000Z\n` })
    const again = await place.run([...args.slice(0, 2), '--conflict-exit-code', '0', ...args.slice(2)], STORE)
    expect(again).toMatchObject({ code: 0, stdout: '' })
    expect(again.stderr).toContain('this tick, or a later one, was granted before')
  })

  it('with --wait waits for the lock, and for no longer than it says', async () => {
    await using place = new Workplace()
    const holder = place.start(
      ['exec', 'a', '--', 'sh', '-c', 'echo x >> has; while [ ! -e go ]; do sleep 0.05; done'],
      STORE,
    )
    await place.line('has')
    expect(await place.run(['exec', 'a', '--wait', '200ms', '--', 'true'], STORE)).toMatchObject({ code: 75 })
    const waiting = place.start(['exec', 'a', '--wait', '--', 'echo', 'mine'], STORE)
    place.write('go', '')
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'mine\n' })
    expect(await holder.ended).toMatchObject({ code: 0 })
  })

  it('passes signals on to the command, and those that come together as one', async () => {
    await using place = new Workplace()
    const script = 'trap "echo bye >> bye" TERM; trap "exit 5" USR1; echo x >> has; while :; do sleep 0.05; done'
    const exec = place.start(['exec', 'a', '--', 'sh', '-c', script], STORE)
    await place.line('has')
    exec.signal('SIGTERM')
    await place.line('bye')
    exec.signal('SIGTERM')
    exec.signal('SIGUSR1')
    expect(await exec.ended).toMatchObject({ code: 5 })
    expect(place.lines('bye')).toEqual(['bye'])
  })

  const nested = ['sh', '-c', 'sh -c "echo \\$\\$ >> child; sleep 600" & echo x; wait']

  it('ends the command with its children after --timeout, with 124', async () => {
    await using place = new Workplace()
    const exec = place.start(['exec', 'a', '--timeout', '1500ms', '--', ...nested], STORE)
    const pid = Number(await place.line('child'))
    expect(await exec.ended).toMatchObject({
      code: 124,
      stderr: 'ticklock: the command took longer than 1500 ms; the command is ended\n',
    })
    await dead(pid)
  })

  it('ends the command with its children when the lock is lost, with 76', async () => {
    await using place = new Workplace()
    const exec = place.start(['exec', 'a', '--lock-at-most-for', '1500ms', '--', ...nested], STORE)
    const pid = Number(await place.line('child'))
    expect(await place.run(['unlock', 'a', '--yes'], STORE)).toMatchObject({ code: 0 })
    const ended = await exec.ended
    expect(ended).toMatchObject({ code: 76 })
    expect(ended.stderr).toMatch(/^ticklock: lock "a" was lost: .*; the command is ended\n$/)
    await dead(pid)
  })

  it('says what is missing', async () => {
    await using place = new Workplace()
    expect(await place.run(['exec', 'a'], STORE)).toMatchObject({
      code: 64,
      stderr: 'error: there is no command: put it after --, as in ticklock exec backup -- ./backup.sh\n',
    })
    expect(
      await place.run(['exec', 'a', '--store', 'postgres://app:hush-hush@127.0.0.1:1/app', '--', 'true']),
    ).toMatchObject({
      code: 69,
      stderr: 'error: PostgreSQL at postgres://app:***@127.0.0.1:1/app: connect ECONNREFUSED 127.0.0.1:1\n',
    })
    expect(await place.run(['exec', 'a', '--lock-at-most-for', '10x', '--', 'true'], STORE)).toMatchObject({ code: 64 })
    expect(await place.run(['exec', 'a', '--', 'true'])).toMatchObject({
      code: 78,
      stderr: `error: no ticklock.config.yaml (.yml, .json, .ts, .js) in ${place.folder}: run "ticklock init" to make one, or say --config FILE\n`,
    })
  })
})
