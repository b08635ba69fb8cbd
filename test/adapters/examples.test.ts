import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import { storeEnvironment } from '../docs/store-environment.ts'
import { runPair } from './pair.ts'

const folder = fileURLToPath(new URL('../../examples/adapters/', import.meta.url))
const examples = readdirSync(folder).filter((file) => /\.(ts|mjs)$/.test(file))
const { environment, missing } = storeEnvironment(inject('servers'))
const storeOf = (example: string): string | undefined => /^client-(postgres|redis|mysql)/.exec(example)?.[1]

async function provesOncePerTick(example: string): Promise<void> {
  const { ticks, codes, errors } = await runPair(`adapters/${example}`, { env: environment })
  expect(errors).toBe('')
  expect(codes).toEqual([0, 0])
  expect(ticks.length).toBeGreaterThanOrEqual(4)
  expect(ticks.join(' ')).not.toContain('undefined')
  expect(ticks.filter((tick, index) => ticks.indexOf(tick) !== index)).toEqual([])
}

describe('two processes that run side by side run no tick twice', () => {
  for (const example of examples) {
    const store = storeOf(example)
    const skip = store !== undefined && missing.includes(store)
    it.skipIf(skip).concurrent(`in ${example}`, () => provesOncePerTick(example))
  }

  it.concurrent('in nestjs/nestjs.ts', async () => {
    const env = { ...environment, TSX_TSCONFIG_PATH: `${folder}nestjs/tsconfig.json` }
    const { ticks, codes, errors } = await runPair('adapters/nestjs/nestjs.ts', { env })
    // Nest ends the process by the signal that it has handled.
    expect({ errors, codes }).toEqual({ errors: '', codes: ['SIGTERM', 'SIGTERM'] })
    const kinds = new Set(ticks.map((tick) => tick.replace(/ \S+$/, '')))
    expect([...kinds].sort()).toEqual(['tick by nest', 'tick by ticklock'])
    expect(new Set(ticks).size).toBe(ticks.length)
  })
})
