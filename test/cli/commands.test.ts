import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../providers/sqlite/index.ts'
import { granted, newHolder } from '../../src/testing/requests.ts'
import { installed } from './installed.ts'
import { bin, Workplace } from './ticklock.ts'

const fish = await installed('fish')
const zsh = await installed('zsh')

const config = `
store: sqlite:./locks.sqlite
defaults: { lockAtMostFor: 1m, timezone: Europe/Berlin }
jobs:
  - { name: nightly, cron: 0 2 * * *, shell: 'echo "$TICKLOCK_JOB says hello"; exit $CODE' }
  - { name: off, every: 90s, enabled: false, exec: [echo, a b] }
`

describe('ticklock', () => {
  it('--version loads no package, and no driver', async () => {
    await using place = new Workplace()
    const coverage = join(place.folder, 'coverage')
    expect(await place.run(['--version'], { NODE_V8_COVERAGE: coverage })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    })
    const loaded = readdirSync(coverage).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
      return result.map(({ url }) => url)
    })
    expect(loaded.some((url) => url.endsWith('cli/bin.js'))).toBe(true)
    expect(loaded.filter((url) => url.includes('node_modules'))).toEqual([])
  })

  it('init writes an example that is right and runs; a second time it does not write over it', async () => {
    await using place = new Workplace()
    expect(await place.run(['init'])).toMatchObject({ code: 0 })
    expect((await place.run(['validate'])).stdout).toBe(
      `✓ ${place.folder}/ticklock.config.yaml: 3 jobs, 2 of them disabled, over sqlite:${place.folder}/ticklock.sqlite\n`,
    )
    expect(await place.run(['trigger', 'heartbeat'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('runs in process'),
    })
    expect(await place.run(['init'])).toMatchObject({
      code: 1,
      stderr: 'error: ticklock.config.yaml is there already; --force writes over it\n',
    })
  })

  it('validate tells every mistake and ends with 78', async () => {
    await using place = new Workplace()
    place.config('store: postgres://app:hush-hush@db/app\njbos: []\njobs: []')
    expect(await place.run(['validate'])).toEqual({
      code: 78,
      signal: null,
      stdout: '',
      stderr: `ticklock.config.yaml:2:1: unknown option "jbos"; did you mean "jobs"?
    2 | jbos: []
      | ^^^^

1 mistake in the config
`,
    })
    const { stdout } = await place.run(['validate', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      mistakes: [
        {
          file: 'ticklock.config.yaml',
          line: 2,
          column: 1,
          message: 'unknown option "jbos"; did you mean "jobs"?',
          excerpt: 'jbos: []',
        },
      ],
    })
  })

  it('validate warns of a job that never ticks, as doctor does', async () => {
    await using place = new Workplace()
    place.config(`store: memory://
defaults: { lockAtMostFor: 1m }
jobs:
  - { name: never, cron: '30 2 30 2 *', shell: 'true' }
  - { name: past, cron: '0 0 0 1 1 * 2020', shell: 'true' }
  - { name: rare, cron: '0 0 29 2 +1', shell: 'true' }
  - { name: off, enabled: false, cron: '0 0 31 4 *', shell: 'true' }
`)
    const warnings = ['job "never": its schedule has no tick any more', 'job "past": its schedule has no tick any more']
    const { code, stdout } = await place.run(['validate'])
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(1, -1)).toEqual(warnings.map((warning) => `! warn  ${warning}`))
    expect(JSON.parse((await place.run(['validate', '--json'])).stdout)).toMatchObject({ ok: true, warnings })
    const doctor = (await place.run(['doctor'])).stdout
    for (const warning of warnings) expect(doctor).toContain(warning)
  })

  it('validate, doctor and run warn of a bare number below a second', async () => {
    await using place = new Workplace()
    place.config(`store: memory://
jobs:
  - { name: sync, every: 60, lockAtMostFor: 600, shell: 'true' }
`)
    const warnings = [
      'ticklock.config.yaml:3:26: job "sync": every is 60 milliseconds; write 60s for seconds, or 60ms',
      'ticklock.config.yaml:3:45: job "sync": lockAtMostFor is 600 milliseconds; write 600s for seconds, or 600ms',
    ]
    const { code, stdout } = await place.run(['validate'])
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(1, -1)).toEqual(warnings.map((warning) => `! warn  ${warning}`))
    expect(JSON.parse((await place.run(['validate', '--json'])).stdout)).toMatchObject({ ok: true, warnings })
    const doctor = (await place.run(['doctor'])).stdout
    for (const warning of warnings) expect(doctor).toContain(warning)
    const node = place.start(['run'])
    for (const warning of warnings) await node.line(({ msg }) => msg === warning, warning)
    place.config(`store: memory://
jobs:
  - { name: sync, every: 1s, lockAtMostFor: 500, shell: 'true' }
`)
    node.signal('SIGHUP')
    await node.line(
      ({ msg }) => msg?.includes('lockAtMostFor is 500 milliseconds') === true,
      'the warning of the new config',
    )
  })

  it('list and next show ticks in the zone of the job', async () => {
    await using place = new Workplace()
    place.config(config)
    const list = (await place.run(['list'])).stdout.split('\n')
    expect(list[0]).toMatch(/^JOB {6}SCHEDULE +NEXT +RUNS$/)
    expect(list[1]).toMatch(
      /^nightly {2}at 02:00, Europe\/Berlin {2}\w{3} \d{4}-\d\d-\d\d 02:00:00 \+0[12]:00 {2}in .* echo "\$TICKLOCK_JOB says hello"; exit \$/,
    )
    expect(list[2]).toMatch(/^off {6}every 1 min 30 s/)
    const { jobs } = JSON.parse((await place.run(['list', '--json'])).stdout) as {
      jobs: { name: string; next: string[] }[]
    }
    expect(jobs.map(({ name, next }) => [name, next.length])).toEqual([
      ['nightly', 3],
      ['off', 3],
    ])
    const next = (await place.run(['next', 'nightly', '-n', '10'])).stdout.trim().split('\n')
    expect(next).toHaveLength(10)
    expect(await place.run(['next', 'nigthly'])).toMatchObject({
      code: 1,
      stderr: 'error: the config has no job "nigthly"; did you mean "nightly"?\n',
    })
  })

  it('trigger runs a job and tells how it went; status and unlock show its lock', async () => {
    await using place = new Workplace()
    place.config(config)
    const ran = await place.run(['trigger', 'nightly'], { CODE: '0' })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('"msg":"nightly says hello"') })
    expect(await place.run(['trigger', 'nightly'], { CODE: '3' })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('exited with code 3'),
    })
    const status = (await place.run(['status'])).stdout.split('\n')
    expect(status[0]).toMatch(/^LOCK {5}STATE {2}HOLDER +SINCE +UNTIL +LAST TICK +TOKEN$/)
    expect(status[1]).toMatch(/^nightly {2}free {3}\S+:\d+ +.* ago +– +– +\d{16}$/)
    const held = place.start(['exec', 'nightly', '--', 'sh', '-c', 'echo x >> has; sleep 600'])
    await place.line('has')
    expect(await place.run(['trigger', 'nightly'])).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/^nightly did not run: \S+:\d+ has its lock until /),
    })
    const asked = await place.run(['unlock', 'nightly'])
    expect(asked).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(
        /^nightly is held by \S+:\d+\n {2}since .*\n {2}until [\s\S]*error: there is no terminal to ask at: say --yes\n$/,
      ),
    })
    expect(await place.run(['unlock', 'nightly', '--yes'])).toMatchObject({ code: 0, stdout: '✓ nightly is free\n' })
    expect(await place.run(['unlock', 'nigthly', '--yes'])).toMatchObject({
      code: 1,
      stderr: 'error: there is no lock "nigthly"; did you mean "nightly"?\n',
    })
    held.signal('SIGTERM')
    await held.ended
  })

  it('reset sets a last tick back that lies in the future by more than the maxClockSkew of the config', async () => {
    await using place = new Workplace()
    place.config(`maxClockSkew: 10m${config}`)
    const provider = sqlite(join(place.folder, 'locks.sqlite'))
    const tick = Math.floor(Date.now()) + 300_000
    await granted(provider, newHolder('nightly'), { tick, maxClockSkew: 600_000 })
    await provider.close()
    // By the jobs' own rule it may have run: set back, it would run again.
    expect(await place.run(['reset', 'nightly'])).toMatchObject({ code: 0, stdout: 'nightly has nothing to repair\n' })
    place.config(config)
    expect(await place.run(['reset', 'nightly'])).toMatchObject({
      code: 0,
      stdout: '✓ nightly is repaired\n',
      stderr: expect.stringContaining('its last tick is'),
    })
  })

  it('setup --print shows the statements of each kind of store', async () => {
    await using place = new Workplace()
    for (const [url, statement] of [
      ['postgres://a:hush-hush@h/d', 'CREATE TABLE "ticklock"'],
      ['mysql://a:hush-hush@h/d', 'CREATE TABLE IF NOT EXISTS `ticklock`'],
      ['sqlite:./x.sqlite', 'CREATE TABLE IF NOT EXISTS "ticklock"'],
      ['mongodb://h/d', 'db.createCollection("ticklock")'],
      ['dynamodb+http://a:hush-hush@h', 'aws dynamodb create-table --table-name ticklock'],
      ['etcd://a:hush-hush@h', 'etcdctl role grant-permission'],
      ['nats://a:hush-hush@h', 'nats kv add ticklock'],
      ['zookeeper://a:hush-hush@h', 'create /ticklock'],
      ['redis://h', 'CONFIG SET maxmemory-policy noeviction'],
    ]) {
      const { code, stdout } = await place.run(['setup', '--print', '--store', url ?? ''])
      expect({ code, has: stdout.includes(statement ?? ''), hush: stdout.includes('hush') }).toEqual({
        code: 0,
        has: true,
        hush: false,
      })
    }
  })

  it('doctor finds all well, and a store that can not be reached, without showing its password', async () => {
    await using place = new Workplace()
    place.config(config)
    const well = await place.run(['doctor'], { CODE: '0' })
    expect(well).toMatchObject({ code: 0, stderr: '' })
    expect(well.stdout.split('\n').filter((line) => /fail|warn/.test(line))).toEqual([])
    // It looks, and leaves nothing behind.
    expect(JSON.parse((await place.run(['status', '--json'])).stdout)).toEqual({ locks: [] })
    const ill = await place.run(['doctor', '--store', 'postgres://app:hush-hush@127.0.0.1:1/app'])
    expect(ill).toMatchObject({ code: 1 })
    expect(ill.stdout).toContain(
      '✗ fail  PostgreSQL at postgres://app:***@127.0.0.1:1/app: connect ECONNREFUSED 127.0.0.1:1',
    )
    expect(ill.stdout + ill.stderr).not.toContain('hush')
  })

  it('run with a store that can not be reached logs it, without the password, and goes on', async () => {
    await using place = new Workplace()
    place.config(
      'store: redis://app:hush-hush@127.0.0.1:1\njobs: [{ name: a, every: 100ms, lockAtMostFor: 1m, shell: "echo redis://app:hush-hush@h" }]',
    )
    const node = place.start(['run'])
    await node.line(({ msg }) => msg === 'store failed', 'the failure')
    node.signal('SIGTERM')
    const { stdout, stderr } = await node.ended
    expect(stdout + stderr).not.toContain('hush')
  })

  it('takes a config in TypeScript with a job that is a function of a TypeScript file, under its lock', async () => {
    await using place = new Workplace()
    const root = fileURLToPath(new URL('../../', import.meta.url))
    mkdirSync(join(place.folder, 'node_modules'))
    execFileSync('ln', ['-s', root, join(place.folder, 'node_modules', 'ticklock')])
    writeFileSync(join(place.folder, 'package.json'), '{"type":"module"}')
    place.write(
      'job.ts',
      `import { currentLock } from 'ticklock'
export async function run({ name, logger }: { name: string; logger: { info(fields: object, text: string): void } }): Promise<void> {
  logger.info({}, \`\${name} under \${currentLock()?.name}\`)
}`,
    )
    place.write(
      'ticklock.config.ts',
      `import { defineConfig } from 'ticklock/config'
export default defineConfig({ jobs: [{ name: 'typed', every: '1h', lockAtMostFor: '1m', module: './job.ts#run' }] })`,
    )
    expect(await place.run(['trigger', 'typed'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"msg":"typed under typed"'),
    })
    place.write('ticklock.config.ts', "export default { jobs: [{ name: 'typed', evry: '1h' }] }")
    expect((await place.run(['validate'])).stderr).toContain(
      'ticklock.config.ts: jobs[0].evry: job "typed": unknown option "evry"; did you mean "every"?\n',
    )
  })

  it('completes commands, options, and the names of jobs, in bash', async () => {
    await using place = new Workplace()
    place.config(config.replace('name: off', "name: 'off:side'"))
    place.write('ticklock', `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`)
    execFileSync('chmod', ['+x', join(place.folder, 'ticklock')])
    const complete = (line: string): string[] => {
      const script = `eval "$(ticklock completion bash)"; COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}; _ticklock; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout } = spawnSync('bash', ['-c', script], {
        cwd: place.folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${place.folder}:${process.env.PATH}` },
      })
      return stdout.split('\n').filter(Boolean)
    }
    expect(complete('ticklock st')).toEqual(['status'])
    expect(complete('ticklock trigger ')).toEqual(['nightly', 'off:side'])
    expect(complete('ticklock trigger off:')).toEqual(['side'])
    expect(complete('ticklock run --log-level ')).toEqual(['debug', 'info', 'warn', 'error'])
    expect(complete('ticklock status --j')).toEqual(['--json'])
  })

  it.skipIf(!fish)('completes in fish', async () => {
    await using place = new Workplace()
    place.config(config)
    place.write('ticklock', `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`)
    execFileSync('chmod', ['+x', join(place.folder, 'ticklock')])
    const { stdout } = spawnSync(
      fish as string,
      ['-c', 'ticklock completion fish | source; complete -C "ticklock st"; complete -C "ticklock trigger n"'],
      {
        cwd: place.folder,
        encoding: 'utf8',
        env: { ...process.env, HOME: place.folder, PATH: `${place.folder}:${process.env.PATH}` },
      },
    )
    expect(stdout).toBe('status\tshow every lock: who has it, since when, until when\nnightly\tjob\n')
  })

  it.skipIf(!zsh)('has completions that zsh can read', async () => {
    await using place = new Workplace()
    const file = place.write('_ticklock', (await place.run(['completion', 'zsh'])).stdout)
    expect(spawnSync(zsh as string, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  it('says which command was meant', async () => {
    await using place = new Workplace()
    expect(await place.run(['statsu'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("unknown command 'statsu'\n(Did you mean status?)"),
    })
  })
})
