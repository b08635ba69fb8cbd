import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { optionsAt } from '../../../src/config/json-schema.ts'
import { planText } from '../../../src/config/read.ts'
import { JOB_DEFAULTS, JOB_OPTIONS } from '../../../src/scheduler/job-options.ts'

const folder = fileURLToPath(new URL('./', import.meta.url))
const plan = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  planText(text, join(folder, 'ticklock.config.yaml'), { environment })

describe('a config becomes a plan', () => {
  it('with a warning for each duration that is a bare number below a second', async () => {
    const { warnings } = await plan(`
storeTimeout: 5
defaults: { lockAtMostFor: 600, jitter: 999, killAfter: 0, env: { every: 5 } }
jobs:
  - { name: a, every: 60, graceFor: 100, catchUp: { window: 30, max: 3 }, shell: echo }
  - { name: b, every: 1000, timeout: 500ms, http: { url: http://localhost, body: { every: 5 }, expectStatus: 204 } }
`)
    expect(warnings.map((warning) => warning.replace(/;.*/, ''))).toEqual([
      'ticklock.config.yaml:2:15: storeTimeout is 5 milliseconds',
      'ticklock.config.yaml:3:28: defaults: lockAtMostFor is 600 milliseconds',
      'ticklock.config.yaml:3:41: defaults: jitter is 999 milliseconds',
      'ticklock.config.yaml:5:23: job "a": every is 60 milliseconds',
      'ticklock.config.yaml:5:37: job "a": graceFor is 100 milliseconds',
      'ticklock.config.yaml:5:61: job "a": catchUp.window is 30 milliseconds',
    ])
    expect(warnings[3]).toContain('; write 60s for seconds, or 60ms')
  })

  it('that may have every option that the scheduler knows', () => {
    expect(optionsAt(['jobs', 0])).toEqual(expect.arrayContaining([...JOB_OPTIONS]))
    expect(optionsAt(['defaults'])).toEqual(expect.arrayContaining([...JOB_DEFAULTS]))
  })

  it('with the defaults in place, and paths relative to its folder', async () => {
    const { stores, jobs, stopGraceFor } = await plan(`
defaults: { lockAtMostFor: 10m, env: { A: 1, B: b }, cwd: sub, timezone: Europe/Berlin, timeout: 1h }
jobs:
  - { name: a, cron: "@daily", exec: [echo, x], env: { B: 2 } }
  - { name: b, every: 1m, module: ./plan.test.ts#run, lockAtMostFor: 1m, timeout: 5s }
`)
    expect(stopGraceFor).toBe(20_000)
    expect(stores).toMatchObject([{ name: 'default', shown: `sqlite:${folder}ticklock.sqlite` }])
    expect(jobs).toEqual([
      {
        name: 'a',
        description: undefined,
        enabled: true,
        store: 'default',
        options: { name: 'a', cron: '@daily', timezone: 'Europe/Berlin', lockAtMostFor: '10m' },
        action: {
          kind: 'exec',
          command: ['echo', 'x'],
          cwd: `${folder}sub`,
          env: { A: '1', B: '2' },
          killAfter: 5_000,
        },
        runs: 'echo x',
        timeout: 3_600_000,
      },
      {
        name: 'b',
        description: undefined,
        enabled: true,
        store: 'default',
        options: { name: 'b', every: '1m', lockAtMostFor: '1m' },
        action: { kind: 'module', file: `${folder}plan.test.ts`, exported: 'run' },
        runs: './plan.test.ts#run',
        timeout: 5_000,
      },
    ])
  })

  it('that shows values of the environment by their names, and passwords not at all', async () => {
    const { jobs } = await plan(
      `defaults: { lockAtMostFor: 1m }
jobs:
  - { name: a, every: 1m, exec: [curl, -H, "Authorization: Bearer \${API_TOKEN}", https://app:pa/ss@example.com/] }
  - { name: b, every: 1m, shell: "curl \${URL}/x?token=\${API_TOKEN}" }
  - { name: c, every: 1m, http: { url: "\${API}/hook", method: PUT } }`,
      { API_TOKEN: 's3cr3t-value', URL: 'https://user:s3cr3t-value@host', API: 'https://host/s3cr3t-value' },
    )
    expect(jobs.map(({ runs }) => runs)).toEqual([
      `curl -H "Authorization: Bearer $\{API_TOKEN}" https://app:***@example.com/`,
      `curl $\{URL}/x?token=***`,
      `PUT $\{API}/hook`,
    ])
  })

  it('with values of the environment as what they stand for', async () => {
    const text = `store: "\${URL}"
jobs: [{ name: a, every: 1m, lockAtMostFor: 1m, shell: 'echo $\${HOME} $HOME', enabled: "\${ON:-false}", catchUp: { window: 1h, max: "\${MAX}" } }]`
    const { stores, jobs } = await plan(text, { URL: 'redis+sentinel://:pw-pw@s1,s2/main/1', MAX: '3' })
    expect(stores[0]).toMatchObject({ shown: 'redis+sentinel://:***@s1,s2/main/1', kind: { name: 'Redis' } })
    expect(jobs[0]).toMatchObject({
      enabled: false,
      action: { script: `echo $\{HOME} $HOME` },
      options: { catchUp: { max: 3 } },
    })
  })

  it('with anchors and merge keys of YAML, and the same from JSON with tabs', async () => {
    const yaml = await plan(`
defaults: { lockAtMostFor: 1m }
jobs:
  - &a { name: a, every: 1m, shell: echo }
  - { <<: *a, name: b }
`)
    expect(yaml.jobs.map(({ name, action }) => [name, action.kind])).toEqual([
      ['a', 'shell'],
      ['b', 'shell'],
    ])
    const json = await plan(
      '{\n\t"defaults": {\n\t\t"lockAtMostFor": "1m"\n\t},\n\t"jobs": [\n\t\t{"name":"a","every":"1m","shell":"echo"}\n\t]\n}',
    )
    expect(json.jobs).toHaveLength(1)
  })

  it('with requests: a method by the body, JSON for what is no text', async () => {
    const { jobs } = await plan(`
defaults: { lockAtMostFor: 1m }
jobs:
  - { name: a, every: 1m, http: "http://h" }
  - { name: b, every: 1m, http: { url: "http://h", body: { a: [1] }, expectStatus: [200, 4xx] } }
`)
    expect(jobs.map(({ action }) => action)).toEqual([
      { kind: 'http', url: 'http://h', method: 'GET', headers: {}, body: undefined, expectStatus: [[200, 299]] },
      {
        kind: 'http',
        url: 'http://h',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"a":[1]}',
        expectStatus: [
          [200, 200],
          [400, 499],
        ],
      },
    ])
  })
})
