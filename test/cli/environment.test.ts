import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Workplace } from './ticklock.ts'

const SECRET = 'hush-hush-hush'
const environment = {
  TICKLOCK_HTTP_TOKEN: `${SECRET}-token`,
  TICKLOCK_STORE: 'sqlite:./locks.sqlite',
  DATABASE_URL: 'memory:',
  OTHER: 'other',
}
const print = 'echo "[$TICKLOCK_HTTP_TOKEN|$TICKLOCK_STORE|$DATABASE_URL|$OTHER|$TICKLOCK_JOB]"'

describe('a command', () => {
  it('of a job gets no token and no URL of a store, unless its env says so', async () => {
    await using place = new Workplace()
    place.config(`
store: $\{DATABASE_URL}
defaults: { lockAtMostFor: 1m }
jobs:
  - { name: without, every: 1h, shell: '${print}' }
  - { name: with, every: 1h, shell: '${print}', env: { DATABASE_URL: "$\{DATABASE_URL}", TICKLOCK_STORE: mine } }
`)
    for (const [job, printed] of [
      ['without', '[|||other|without]'],
      ['with', '[|mine|memory:|other|with]'],
    ] as const) {
      const { code, stdout } = await place.run(['trigger', job], environment)
      expect({ code, printed: stdout.includes(printed), stdout }).toMatchObject({ code: 0, printed: true })
    }
  })

  it('of run gets none either; the log names the variable and how to pass it, and the guard has no environment', async () => {
    await using place = new Workplace()
    place.config(`
store: $\{DATABASE_URL}
jobs: [{ name: a, every: 100ms, lockAtMostFor: 1m, shell: '${print}; exec sleep 600' }]
`)
    const node = place.start(['run'], environment)
    expect(await node.line(({ stream }) => stream === 'stdout', 'its output')).toMatchObject({ msg: '[|||other|a]' })
    await node.line(
      ({ msg }) =>
        msg ===
        // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what the user reads
        'commands do not get DATABASE_URL, which is the URL of a store; one that needs it gets it by env: { DATABASE_URL: "${DATABASE_URL}" }',
      'the hint',
    )
    const children = readdirSync(`/proc/${node.process.pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${node.process.pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    )
    // The guard and the command.
    expect(children).toHaveLength(2)
    for (const pid of children) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(SECRET)
  })

  it('of exec gets neither token nor $TICKLOCK_STORE, and all else', async () => {
    await using place = new Workplace()
    expect(await place.run(['exec', 'a', '--', 'sh', '-c', print], environment)).toMatchObject({
      code: 0,
      stdout: '[||memory:|other|a]\n',
    })
  })
})
