import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { optionsAt } from '../../../src/config/json-schema.ts'
import { ConfigError } from '../../../src/config/mistake.ts'
import { planText } from '../../../src/config/read.ts'

/** How many files of each kind: 10,000 in all. `TICKLOCK_FUZZ=10` makes ten times as many. */
const TIMES = Number(process.env.TICKLOCK_FUZZ ?? 1)
const RUNS = { mutated: 4_000, shuffled: 3_000, random: 2_000, json: 1_000 }
/** No file may take longer, on however busy a machine: a pattern that explodes takes minutes. */
const LONGEST = 20_000

const folder = fileURLToPath(new URL('./', import.meta.url))

const VALID = `
store: postgres://app:\${PGPASSWORD:-secret-word}@localhost/app
stores:
  cache: { url: "redis://:hidden-word@localhost:6379/0", prefix: 'jobs:' }
  local: sqlite:./locks.sqlite
label: node-1
storeTimeout: 3s
maxClockSkew: 60s
spread: false
stopGraceFor: 20s
defaults: &usual
  lockAtMostFor: 10m
  keepAlive: true
  timezone: Europe/Berlin
  env: { LANG: C, LEVEL: 3 }
jobs:
  - name: nightly
    description: every night
    cron: "0 2 * * *"
    catchUp: { window: 1d, max: 3 }
    exec: [echo, "a b", 'it''s']
    timeout: 1h
    killAfter: 10s
    cwd: ..
  - name: poll
    every: 15s
    jitter: 500ms
    graceFor: 5s
    onCrash: rerun
    onStoreError: run
    shell: |
      set -e
      echo "$TICKLOCK_JOB" $\${HOME}
    store: cache
  - name: call
    cron: "@daily"
    enabled: \${ON:-false}
    runOnStart: true
    lockAtLeastFor: 5s
    http:
      url: https://example.com/x
      method: POST
      headers: { authorization: Bearer abc }
      body: { a: [1, 2.5, null, true] }
      expectStatus: [200, 4xx]
  - name: module
    every: PT1M
    module: ./fuzz.test.ts#run
    metadata: hello
`

/** Reads it: a plan, or mistakes that each have a place, and neither a stack nor a password. Anything else fails the test. */
async function read(text: string, name = 'ticklock.config.yaml'): Promise<'plan' | 'mistakes'> {
  const begun = performance.now()
  try {
    const plan = await planText(text, join(folder, name))
    expect(plan.jobs).toBeInstanceOf(Array)
    return 'plan'
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.mistakes.length).toBeGreaterThan(0)
    const lines = text.split('\n').length
    for (const { line = 0, column = 0, message, excerpt } of error.mistakes) {
      expect(line).toBeGreaterThan(0)
      expect(line).toBeLessThanOrEqual(lines)
      expect(column).toBeGreaterThan(0)
      expect(message).not.toBe('')
      expect(excerpt?.text.length).toBeLessThanOrEqual(112)
      expect(excerpt && excerpt.from + excerpt.length).toBeLessThanOrEqual(Math.max(1, excerpt?.text.length ?? 0) + 1)
    }
    expect(error.message).not.toMatch(/\n\s+at .*:\d+:\d+|\[object|undefined|TypeError|RangeError/)
    return 'mistakes'
  } finally {
    expect(performance.now() - begun).toBeLessThan(LONGEST)
  }
}

async function check<T>(arbitrary: fc.Arbitrary<T>, runs: number, one: (value: T) => Promise<unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => void (await one(value))),
    { numRuns: runs * TIMES },
  )
}

const at = fc.nat({ max: VALID.length })
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what users write
const PIECES = [
  ':',
  ' ',
  '- ',
  '\n',
  '\t',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*usual',
  '*a',
  '<<: ',
  '!!int ',
  '!x ',
  '#',
  '|',
  '>',
  '---\n',
  '...\n',
  '%',
  '@',
  '`',
  '${',
  '${X}',
  '${X:-',
  '}',
  '$${',
  '\0',
  '\u001b[31m',
  '\u2028',
  '😀',
  '\ud800',
  '1e999',
  '.nan',
  '.inf',
  '0x1F',
  '-1',
  'null',
  '~',
  '__proto__: ',
  'constructor: ',
  '? ',
  ', ',
  'jobs:',
  'name:',
  '100000w',
  '* * * * * * * *',
  '0 0 31 2 *',
  '@reboot',
  'L#5',
]
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
const edit = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    at,
    text: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8, unit: 'binary' })),
  }),
  fc.record({ kind: fc.constant('delete' as const), at, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('copy' as const), at, to: at, length: fc.integer({ min: 1, max: 120 }) }),
)
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

const apply = (text: string, change: Edit): string => {
  if (change.kind === 'insert') return text.slice(0, change.at) + change.text + text.slice(change.at)
  if (change.kind === 'delete') return text.slice(0, change.at) + text.slice(change.at + change.length)
  return text.slice(0, change.to) + text.slice(change.at, change.at + change.length) + text.slice(change.to)
}
const mutated = fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => edits.reduce(apply, VALID))

const JOB = optionsAt(['jobs', 0])
const words = [
  '10s',
  '5m',
  '1h',
  'PT1H',
  '* * * * *',
  '@daily',
  'UTC',
  'Europe/Berlin',
  'skip',
  'rerun',
  'latest',
  'run',
  'sqlite:x.sqlite',
  'redis://a',
  'mysql://u:pass-word@h/d',
  'memory:',
  'mongodb://h',
  'http://x',
  'GET',
  '2xx',
  'default',
  'a',
  'b',
  '',
]
const scalar = fc.oneof(
  fc.constantFrom(...words),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.constant(null),
  fc.string({ maxLength: 12 }),
)
const deep = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.oneof(
          fc.constantFrom(...JOB, ...optionsAt(['jobs', 0, 'http']), 'window', 'max'),
          fc.string({ maxLength: 5 }),
        ),
        tie('value'),
        { maxKeys: 4 },
      ),
    },
  ),
})).value
const objectWith = (keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: fc.string({ maxLength: 6 }) }),
    deep,
    { maxKeys: 8 },
  )
const shuffled = fc
  .record({
    top: objectWith(optionsAt([])),
    jobs: fc.oneof(fc.array(objectWith(JOB), { maxLength: 4 }), deep),
  })
  .map(({ top, jobs }) => ({ ...top, jobs }))

describe('10,000 config files', { timeout: 600_000 }, () => {
  it('the valid one is planned', async () => expect(await read(VALID)).toBe('plan'))

  it('mutated ones give a plan, or mistakes with their places', () => check(mutated, RUNS.mutated, read))

  it('of options with any values give a plan, or mistakes with their places', () =>
    check(shuffled, RUNS.shuffled, (config) => read(stringify(config))))

  it('of any text give a plan, or mistakes with their places', () =>
    check(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.array(fc.constantFrom(...PIECES, 'a', 'jobs', 'cron'), { maxLength: 60 }).map((pieces) => pieces.join('')),
      ),
      RUNS.random,
      read,
    ))

  it('in JSON give a plan, or mistakes with their places', () =>
    check(
      fc.tuple(shuffled, fc.array(edit, { maxLength: 2 }), fc.constantFrom(0, 2, '\t')),
      RUNS.json,
      ([config, edits, indent]) => {
        const text = edits.reduce(apply, JSON.stringify(config, undefined, indent) ?? '')
        return read(text, 'ticklock.config.json')
      },
    ))
})
