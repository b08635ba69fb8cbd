import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generated } from '../../../scripts/generated.ts'

// The JSON Schema, the tables of docs/config.md and the help in docs/cli.md: all options there are.
describe('what is made from the source', () => {
  it('is up to date; else run: npm run generate', async () => {
    for (const { file, text } of await generated()) expect(readFileSync(file, 'utf8'), file).toBe(text)
  })
})
