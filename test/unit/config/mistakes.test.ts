import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { planText } from '../../../src/config/read.ts'

const folder = fileURLToPath(new URL('./', import.meta.url))

/** The text that a user sees for a file with mistakes. */
async function told(text: string, environment: NodeJS.ProcessEnv = {}, name = 'ticklock.config.yaml'): Promise<string> {
  const file = join(folder, name)
  return planText(text.replace(/^\n/, ''), file, { environment, cwd: folder }).then(
    () => 'no mistake',
    (error: Error) => `\n${error.message}\n`,
  )
}

/** A job with these lines in it, beside what it needs. */
const job = (...lines: string[]): string => ['jobs:', '  - name: a', ...lines.map((line) => `    ${line}`)].join('\n')
const fine = ['every: 1m', 'lockAtMostFor: 10m', 'shell: echo']

describe('a mistake in a config', () => {
  it('none is told of a file that has none', async () => expect(await told(job(...fine))).toBe('no mistake'))

  it.each([
    ['a user and a password', 'http://app:hush-hush@h/x'],
    ['a user', 'https://token-hush@h/x'],
    ['a password', 'http://:hush-hush@h/x'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what the user writes
    ['some of the environment', 'http://${AUTH}@h/x'],
  ])('in the URL of a request: %s in it, which no request is sent with, and what to do instead', async (_, url) => {
    for (const [http, option] of [
      [`http: ${url}`, 'http'],
      [`http: { url: '${url}' }`, 'http.url'],
    ] as const) {
      const message = await told(job('every: 1m', 'lockAtMostFor: 1m', http), { AUTH: 'app:hush-hush' })
      expect(message).toContain(
        `job "a": ${option} must have no user or password in it: send the header authorization: "Basic \${CREDENTIALS}" instead, where that variable is user:password in base64`,
      )
      expect(message).not.toContain('hush-hush')
    }
  })

  it('in the name of an option of a job is told with the right one', async () => {
    expect(await told(job('every: 1m', 'lockAtMostfor: 10m', 'lockAtMostFor: 10m', 'shell: echo'))).toBe(`
ticklock.config.yaml:4:5: job "a": unknown option "lockAtMostfor"; did you mean "lockAtMostFor"?
    4 |     lockAtMostfor: 10m
      |     ^^^^^^^^^^^^^
`)
  })

  it('in the name of an option at the top, of defaults, of a store, of a request is told with the right one', async () => {
    expect(
      await told(`
labl: web
defaults:
  keep-alive: true
stores:
  default:
    url: redis://localhost
    prefx: a
jobs:
  - name: a
    every: 1m
    lockAtMostFor: 1m
    http:
      url: http://localhost
      heders: {}
`),
    ).toBe(`
ticklock.config.yaml:1:1: unknown option "labl"; did you mean "label"?
    1 | labl: web
      | ^^^^

ticklock.config.yaml:3:3: defaults: unknown option "keep-alive"; did you mean "keepAlive"?
    3 |   keep-alive: true
      |   ^^^^^^^^^^

ticklock.config.yaml:7:5: store "default": unknown option "prefx"; did you mean "prefix"?
    7 |     prefx: a
      |     ^^^^^

ticklock.config.yaml:14:7: job "a": unknown option "heders"; did you mean "headers"?
   14 |       heders: {}
      |       ^^^^^^
`)
  })

  it('in the token of a lock server is told without the token', async () => {
    const text = await told(`jobs: []\nstore: { url: "https://locks.example.com", token: "hush-hush\\n" }`)
    expect(text).toContain('token must be printable ASCII characters')
    expect(text).not.toContain('hush')
  })

  it('in a name that is like no option is told with all of them', async () => {
    expect(await told(`jobs: []\nstores: { a: { url: "memory:", whatever: 1 } }`)).toBe(`
ticklock.config.yaml:2:32: store "a": unknown option "whatever"; the options are url, table, database, collection, prefix, bucket, root, shedlock, token
    2 | stores: { a: { url: "memory:", whatever: 1 } }
      |                                ^^^^^^^^
`)
  })

  it('in a duration, a cron pattern, a time zone, a choice, a boolean is told with what was expected', async () => {
    expect(
      await told(`
defaults: { timezone: Europe/Berln }
jobs:
  - name: a
    cron: 0 25 * * *
    lockAtMostFor: 10 minutes
    jitter: -1
    graceFor: 10ms
    onCrash: reruns
    keepAlive: yes
    catchUp: { window: 1x, max: 0 }
    shell: echo
`),
    ).toBe(`
ticklock.config.yaml:1:23: defaults: timezone must be a name such as 'Europe/Berlin' or 'UTC'; did you mean "Europe/Berlin"?
    1 | defaults: { timezone: Europe/Berln }
      |                       ^^^^^^^^^^^^

ticklock.config.yaml:4:11: job "a": cron can't be read: hour is "25", and takes 0 to 23
    4 |     cron: 0 25 * * *
      |           ^^^^^^^^^^

ticklock.config.yaml:5:20: job "a": lockAtMostFor must be milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M'
    5 |     lockAtMostFor: 10 minutes
      |                    ^^^^^^^^^^

ticklock.config.yaml:6:13: job "a": jitter must be a duration from 0 ms to 100 years
    6 |     jitter: -1
      |             ^^

ticklock.config.yaml:7:15: job "a": graceFor must be a duration from 100 ms to 100 years
    7 |     graceFor: 10ms
      |               ^^^^

ticklock.config.yaml:8:14: job "a": onCrash must be 'skip' or 'rerun'; did you mean "rerun"?
    8 |     onCrash: reruns
      |              ^^^^^^

ticklock.config.yaml:9:16: job "a": keepAlive must be true or false
    9 |     keepAlive: yes
      |                ^^^

ticklock.config.yaml:10:24: job "a": catchUp.window must be a duration from 1 ms to 100 years
   10 |     catchUp: { window: 1x, max: 0 }
      |                        ^^

ticklock.config.yaml:10:33: job "a": catchUp.max must be a whole number from 1 to 1000
   10 |     catchUp: { window: 1x, max: 0 }
      |                                 ^
`)
  })

  it('of options that contradict each other is told at the second of them', async () => {
    expect(
      await told(
        job('cron: "@daily"', 'every: 1m', 'lockAtMostFor: 1m', 'lockAtLeastFor: 2m', 'shell: echo', 'exec: [echo]'),
      ),
    ).toBe(`
ticklock.config.yaml:4:5: job "a": every contradicts cron: give one of them
    4 |     every: 1m
      |     ^^^^^

ticklock.config.yaml:6:21: job "a": lockAtLeastFor must not be longer than the lockAtMostFor
    6 |     lockAtLeastFor: 2m
      |                     ^^

ticklock.config.yaml:7:5: job "a": shell contradicts exec: give one way to run
    7 |     shell: echo
      |     ^^^^^
`)
    expect(
      await told(job('timezone: UTC', 'every: 1m', 'lockAtMostFor: 1m', 'module: ./mistakes.test.ts', 'cwd: /')),
    ).toBe(`
ticklock.config.yaml:3:5: job "a": timezone goes with cron, not with every
    3 |     timezone: UTC
      |     ^^^^^^^^

ticklock.config.yaml:7:5: job "a": cwd goes with exec and shell, not with module
    7 |     cwd: /
      |     ^^^
`)
    expect(
      await told(`defaults: { lockAtLeastFor: 1h }\n${job('every: 1m', 'lockAtMostFor: 1m', 'shell: echo')}`),
    ).toBe(`
ticklock.config.yaml:5:20: job "a": lockAtMostFor must not be shorter than the lockAtLeastFor of the defaults
    5 |     lockAtMostFor: 1m
      |                    ^^
`)
  })

  it('of what a job lacks is told at the job', async () => {
    expect(await told('jobs:\n  - description: no more')).toBe(`
ticklock.config.yaml:2:5: jobs[0]: name is missing: it must be a text
    2 |   - description: no more
      |     ^^^^^^^^^^^^^^^^^^^^

ticklock.config.yaml:2:5: jobs[0]: cron or every is missing: a job needs one of them
    2 |   - description: no more
      |     ^^^^^^^^^^^^^^^^^^^^

ticklock.config.yaml:2:5: jobs[0]: lockAtMostFor is missing, here or in the defaults: for how long may a crashed node block this job?
    2 |   - description: no more
      |     ^^^^^^^^^^^^^^^^^^^^

ticklock.config.yaml:2:5: jobs[0]: exec, shell, http or module is missing: a job needs one way to run
    2 |   - description: no more
      |     ^^^^^^^^^^^^^^^^^^^^
`)
  })

  it('of a name used twice, and of an option given twice, is told with the first', async () => {
    expect(await told(`${job(...fine)}\n  - name: a\n    every: 1m\n    lockAtMostFor: 1m\n    shell: echo`)).toBe(`
ticklock.config.yaml:6:11: job "a": name is used before, by jobs[0]: each job needs its own
    6 |   - name: a
      |           ^
`)
    expect(await told(job(...fine, 'every: 2m'))).toBe(`
ticklock.config.yaml:6:5: "every" is given twice, first in line 3
    6 |     every: 2m
      |     ^^^^^
`)
  })

  it('in the URL of a store is told without the URL', async () => {
    expect(await told(`store: postgress://app:hush-hush@db/app\njobs: []`)).toBe(`
ticklock.config.yaml:1:8: store must be the URL of a store; did you mean "postgres"?
    1 | store: postgress://app:***@db/app
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
`)
    expect(await told('stores: { a: locks.sqlite, b: { url: "redis://:hush-hush@h", table: x } }\njobs: []')).toBe(`
ticklock.config.yaml:1:14: store "a": must be the URL of a store; did you mean "sqlite:locks.sqlite"?
    1 | stores: { a: locks.sqlite, b: { url: "redis://:***@h", table: x } }
      |              ^^^^^^^^^^^^

ticklock.config.yaml:1:69: store "b": table is no option of a Redis store, whose options are: prefix, shedlock
    1 | stores: { a: locks.sqlite, b: { url: "redis://:***@h", table: x } }
      |                                                               ^
`)
  })

  it('in the name of a store is told with the right one', async () => {
    expect(await told(`stores: { main: "memory:", cache: "memory:" }\n${job(...fine, 'store: cach')}`)).toBe(`
ticklock.config.yaml:7:12: job "a": store must be the name of a store of this file; did you mean "cache"?
    7 |     store: cach
      |            ^^^^
`)
    expect(await told(`stores: { main: "memory:", cache: "memory:" }\n${job(...fine)}`)).toBe(`
ticklock.config.yaml:3:5: job "a": store is missing, here or in the defaults; the stores are main, cache
    3 |   - name: a
      |     ^^^^^^^
`)
  })

  it('of a variable that is not set is told with the ways out', async () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what users write
    expect(await told('store: "postgres://app:${PGPASS}@${PGHOST:-db}/app"\njobs: []')).toBe(`
ticklock.config.yaml:1:24: the environment has no variable PGPASS: set it, or write \${PGPASS:-default}, or $\${PGPASS} for that text itself
    1 | store: "postgres://app:***@\${PGHOST:-db}/app"
      |                        ^^^
`)
    expect(await told(job('every: 1m', 'lockAtMostFor: 1m', 'shell: echo ${x%y}'))).toBe(`
ticklock.config.yaml:5:17: \${x%y} is no variable: write \${NAME} or \${NAME:-default}, or $\${ for the text \${ itself
    5 |     shell: echo \${x%y}
      |                 ^^^^^^
`)
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
  })

  it('of a variable, of an option given twice and of values are told in one go', async () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what users write
    const text = await told(
      job('every: ${EVERY}', 'lockAtMostFor: 1', 'lockAtMostFor: 2', 'shell: echo', 'graceFor: 1'),
    )
    expect(text.split('\n').filter((line) => line.startsWith('ticklock'))).toEqual([
      'ticklock.config.yaml:3:12: the environment has no variable EVERY: set it, or write ${EVERY:-default}, or $${EVERY} for that text itself',
      'ticklock.config.yaml:5:5: "lockAtMostFor" is given twice, first in line 4',
      'ticklock.config.yaml:7:15: job "a": graceFor must be a duration from 100 ms to 100 years',
    ])
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
  })

  it('in a value of the environment is told without the value', async () => {
    const environment = { LEASE: 'hush-hush', PATTERN: 'hush-hush' }
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what users write
    const text = await told(job('cron: ${PATTERN}', 'lockAtMostFor: ${LEASE}', 'shell: echo'), environment)
    expect(text).toBe(`
ticklock.config.yaml:3:11: job "a": cron can't be read
    3 |     cron: \${PATTERN}
      |           ^^^^^^^^^^

ticklock.config.yaml:4:20: job "a": lockAtMostFor must be milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M'
    4 |     lockAtMostFor: \${LEASE}
      |                    ^^^^^^^^
`)
  })

  it('in what may be a secret is told without showing it', async () => {
    expect(
      await told(job('every: 1m', 'lockAtMostFor: 1m', 'http: { url: "http://h", headers: { x-key: [hush-hush] } }')),
    ).toBe(
      `
ticklock.config.yaml:5:48: job "a": http.headers.x-key must be a text
    5 |     http: { url: "http://h", headers: { x-key: *** } }
      |                                                ^^^
`,
    )
    expect(await told('password: hush-hush\njobs: []')).toBe(`
ticklock.config.yaml:1:1: unknown option "password"; the options are $schema, store, stores, defaults, label, storeTimeout, maxClockSkew, spread, stopGraceFor, jobs
    1 | password: ***
      | ^^^^^^^^
`)
  })

  it('in a request, a program, a module is told with what was expected', async () => {
    expect(
      await told(`
defaults: { every: 1m, lockAtMostFor: 1m }
jobs:
  - { name: a, every: 1m, http: { url: ftp://x, method: FETCH, expectStatus: 2x } }
  - { name: b, every: 1m, http: { url: http://x, method: GET, body: 1 } }
  - { name: c, every: 1m, exec: [] }
  - { name: d, every: 1m, module: ./none.ts#x }
`),
    ).toBe(`
ticklock.config.yaml:1:13: defaults: unknown option "every"; the options are lockAtMostFor, lockAtLeastFor, keepAlive, onCrash, catchUp, runOnStart, jitter, graceFor, onStoreError, timezone, store, timeout, killAfter, env, cwd
    1 | defaults: { every: 1m, lockAtMostFor: 1m }
      |             ^^^^^

ticklock.config.yaml:3:40: job "a": http.url must be an http:// or https:// URL
    3 |   - { name: a, every: 1m, http: { url: ftp://x, method: FETCH, expectStatus: 2x } }
      |                                        ^^^^^^^

ticklock.config.yaml:3:57: job "a": http.method must be 'GET' or 'HEAD' or 'POST' or 'PUT' or 'PATCH' or 'DELETE' or 'OPTIONS'
    3 |   - { name: a, every: 1m, http: { url: ftp://x, method: FETCH, expectStatus: 2x } }
      |                                                         ^^^^^

ticklock.config.yaml:3:78: job "a": http.expectStatus must be statuses from 100 to 599, or classes such as '2xx'
    3 |   - { name: a, every: 1m, http: { url: ftp://x, method: FETCH, expectStatus: 2x } }
      |                                                                              ^^

ticklock.config.yaml:4:63: job "b": http.body can't go with GET
    4 |   - { name: b, every: 1m, http: { url: http://x, method: GET, body: 1 } }
      |                                                               ^^^^

ticklock.config.yaml:5:33: job "c": exec must begin with the program to run
    5 |   - { name: c, every: 1m, exec: [] }
      |                                 ^^

ticklock.config.yaml:6:35: job "d": module must be a file, or file#name: there is no file "${folder}none.ts"
    6 |   - { name: d, every: 1m, module: ./none.ts#x }
      |                                   ^^^^^^^^^^^
`)
  })

  it.each(['cron: * * * * *', 'cron: */5 * * * *', 'cron: @daily', 'shell: %date', 'shell: "a" b'])(
    'in a value that needs quotes says so, once: %s',
    async (line) => {
      const text = await told(job(...fine.slice(1), line))
      expect(text.match(/put quotes around/g)).toHaveLength(1)
    },
  )

  it('in a header that HTTP can not carry is told without its value', async () => {
    const text = await told(
      job(
        'every: 1m',
        'lockAtMostFor: 1m',
        `http: { url: http://x, headers: { authorization: "$\{TOKEN}", "a b": c } }`,
      ),
      { TOKEN: 'sec\nret' },
    )
    expect(text).toContain('http.headers.authorization must be one line of printable characters')
    expect(text).toContain('http.headers must have names of')
    expect(text).not.toMatch(/sec\s*ret/)
  })

  it('that is one of thousands in one line is told with the first hundred, and how many more there are', async () => {
    const jobs = Array.from(
      { length: 2_000 },
      (_, index) => `{ name: j${index}, evry: 1m, lockAtMostFor: 1m, shell: a }`,
    )
    const text = await told(`jobs: [${jobs.join(', ')}]`)
    expect(text.match(/evry/g)?.length).toBeGreaterThan(50)
    expect(text).toContain('more mistakes: correct these first')
    expect(text.length).toBeLessThan(100_000)
  })

  it('of the file itself is told with its place', async () => {
    expect(await told('jobs:\n  - name: "a\n')).toContain(
      'ticklock.config.yaml:3:1: not valid YAML: missing closing "quote',
    )
    expect(await told('')).toBe(`
ticklock.config.yaml:1:1: must be an object of options, such as jobs
    1 | 
      | ^
`)
    expect(await told('{"jobs": [}', {}, 'ticklock.config.json')).toContain(
      'ticklock.config.json:1:11: not valid YAML: ',
    )
    expect(await told('jobs: [*a]')).toBe(`
ticklock.config.yaml:1:8: the alias *a leads nowhere: put quotes around a value that begins with *, as in "* * * * *"
    1 | jobs: [*a]
      |        ^^
`)
    expect(await told(`jobs: ${'['.repeat(100_000)}`)).toContain(
      'ticklock.config.yaml:1:1: the file can not be read: it is nested too deeply',
    )
  })
})
