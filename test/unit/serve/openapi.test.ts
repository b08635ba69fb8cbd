import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { memory } from '../../../providers/memory/index.ts'
import { StoreError } from '../../../src/errors.ts'
import { VERBS } from '../../../src/serve/verbs.ts'
import { acquisition, changed, post, started } from './servers.ts'

const text = readFileSync(fileURLToPath(new URL('../../../docs/http-api.yaml', import.meta.url)), 'utf8')

describe('docs/http-api.yaml', () => {
  it('is a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(parse(text))
    expect(errors).toBeUndefined()
    expect([valid, validator.version]).toEqual([true, '3.1'])
  })

  it('has every verb, and no reference leads nowhere', () => {
    const document = parse(text)
    for (const { path } of VERBS) expect(document.paths[`/v1/${path}`]?.post.summary).toMatch(/\w/)
    for (const [, part = '', name = ''] of text.matchAll(/#\/components\/(\w+)\/(\w+)/g))
      expect(document.components[part][name], `${part} ${name}`).toBeDefined()
  })
})

describe('responses', () => {
  const verb = (path: string) => {
    const found = VERBS.find((each) => each.path === path)
    if (!found) throw new Error(`no verb ${path}`)
    return found
  }

  it('are as the document says', async () => {
    const inner = memory()
    const provider = changed({
      ...inner,
      read: async (names) => [
        ...(await inner.read(names)),
        { name: 'bad', unreadable: new StoreError('odd'), storeTime: 5 },
      ],
    })
    const server = await started({ provider })
    const holder = { name: 'a', owner: 'owner-1' }
    const entry = { id: '1', job: 'a', node: 'n', kind: 'schedule', outcome: 'succeeded', scheduledAt: 1, at: 2 }
    const node = { label: 'n', startedAt: 1, skew: -2.5, running: 0, stopped: false }
    const calls: readonly (readonly [string, object])[] = [
      ['acquire', { requests: [{ ...acquisition('a'), tick: 1 }, acquisition('a', 'owner-2'), { name: 'a' }] }],
      ['extend', { requests: [acquisition('a'), acquisition('b'), { name: 'a' }] }],
      ['release', { requests: [{ ...holder, tick: 1 }, { name: 'b', owner: 'o' }, { name: 'a' }] }],
      [
        'acquire',
        {
          requests: [
            { ...acquisition('a'), tick: 1 },
            { ...acquisition('c'), tick: 8e15 },
          ],
        },
      ],
      ['set-paused', { name: 'a', paused: true }],
      ['read', {}],
      ['read', { names: ['a'] }],
      ['force-release', { name: 'a' }],
      ['reset', { name: 'a' }],
      ['prune', { olderThan: 0 }],
      ['history/write', { entries: [entry], node }],
      ['history/read', { limit: 5 }],
      ['history/latest', { jobs: ['a'], count: 1 }],
      ['history/nodes', {}],
      ['history/trim', { olderThanMs: 1_000, most: 5 }],
    ]
    for (const [path, body] of calls) {
      const sent = await post(server, path, body)
      expect([path, sent.status]).toEqual([path, 200])
      const { error, data } = verb(path).response.safeParse(sent.body)
      expect(error, path).toBeUndefined()
      // Nothing is sent that the document doesn't name.
      expect(data, path).toEqual(sent.body)
    }
    expect(new Set(calls.map(([path]) => path))).toEqual(new Set(VERBS.map(({ path }) => path)))
  })
})
