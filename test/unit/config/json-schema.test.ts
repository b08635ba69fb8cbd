import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../../../scripts/config-schema/config-schema.ts'
import { ZONES } from '../../../scripts/config-schema/zones.ts'
import { planText } from '../../../src/config/read.ts'
import { cron, RIGHT, shell, WRONG } from './config-files.ts'

// The JSON Schema is what an editor knows of a config file, and `validate` has the last word.
const accepts = new Ajv2020({ strictTypes: true }).compile(configSchema())
const folder = fileURLToPath(new URL('./', import.meta.url))

const inEditor = (text: string): boolean => accepts(parse(text))
const inValidate = (text: string): Promise<boolean> =>
  planText(text, join(folder, 'ticklock.config.yaml'), { environment: { X: '1s' }, cwd: folder }).then(
    () => true,
    () => false,
  )
const both = async (text: string): Promise<object> => ({ editor: inEditor(text), validate: await inValidate(text) })

describe('the JSON Schema and validate', () => {
  it.each(WRONG)('refuse %s', async (_, text) => expect(await both(text)).toEqual({ editor: false, validate: false }))

  it.each(RIGHT)('accept %s', async (_, text) => expect(await both(text)).toEqual({ editor: true, validate: true }))

  it('agree on patterns of single values, ranges and steps', async () => {
    const number = fc.integer({ min: 0, max: 70 }).map(String)
    const inEach = fc.integer({ min: 1, max: 7 })
    const step = fc.integer({ min: 0, max: 62 })
    const part = fc.oneof(
      number,
      fc.constantFrom('*', '?', 'L', 'MON', 'jan'),
      fc.tuple(number, number).map(([from, to]) => `${from}-${to}`),
      step.map((each) => `*/${each}`),
      // croner looks at the values that the steps reach only: these are in each field.
      fc.tuple(inEach, inEach, step).map(([from, to, each]) => `${from}-${to}/${each}`),
    )
    const field = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join())
    const fields = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, field), { minLength: 4, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fields, async (parts) => {
        const text = cron(parts.join(' '))
        // A range that goes downwards is the one thing that the schema lets through.
        const downwards = parts.some((each) =>
          each.split(',').some((range) => Number(/^\d+/.exec(range)) > Number(/-(\d+)/.exec(range)?.[1] ?? Infinity)),
        )
        const right = await inValidate(text)
        if (right || !downwards) expect(inEditor(text)).toBe(right)
      }),
      { numRuns: 500, seed: 16 },
    )
  })

  it('agree on durations', async () => {
    const amount = fc.oneof(fc.integer({ min: 0, max: 120 }).map(String), fc.constantFrom('', '1.5', '0.0', '.5', '1.'))
    const length = fc
      .array(fc.tuple(amount, fc.constantFrom('w', 'd', 'h', 'm', 's', 'ms', 'M', 'H', 'PT', 'P', ' ')), {
        maxLength: 3,
      })
      .map((parts) => parts.flat().join(''))
    await fc.assert(
      fc.asyncProperty(length, async (timeout) => {
        const text = shell(`timeout: ${JSON.stringify(timeout)}`)
        expect(inEditor(text)).toBe(await inValidate(text))
      }),
      { numRuns: 500, seed: 16 },
    )
  })

  it('know the zones of this Node.js', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((zone) => !ZONES.includes(zone))).toEqual([])
  })
})
