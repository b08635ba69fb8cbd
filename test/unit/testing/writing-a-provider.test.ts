/* The test in docs/writing-a-provider.md runs every case of the suite, under another test runner than ours. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groups } from '../../../src/testing/cases/index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

const FILE = /<!-- file: (\S+) -->\n```ts\n([\s\S]*?)```/g

/** The page's code imports the package by its name; here that is the source. */
const fromSource = (code: string): string =>
  code
    .replaceAll(/'ticklock\/(testing|provider)'/g, "'../../src/$1/index.ts'")
    .replaceAll("'ticklock'", "'../../src/index.ts'")

describe('docs/writing-a-provider.md', () => {
  let folder: string
  const files: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(root, 'node_modules', '.ticklock-docs-'))
    const page = await readFile(join(root, 'docs/writing-a-provider.md'), 'utf8')
    for (const [, name = '', code = ''] of page.matchAll(FILE)) {
      files.push(name)
      await writeFile(join(folder, name), fromSource(code))
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const node = (...args: string[]) => run(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 })

  it('has a provider that passes the suite under node:test', { timeout: 60_000 }, async () => {
    expect(files).toEqual(['map-store.ts', 'date-clock.ts', 'map-store.test.ts', 'manual-clock.ts'])
    const { stdout } = await node('--import', 'tsx', '--test', '--test-reporter', 'tap', 'map-store.test.ts')
    expect(stdout).toMatch(/^# fail 0$/m)
    for (const { cases, leftOut } of groups) {
      if (!leftOut) for (const name of Object.keys(cases)) expect(stdout).toContain(`- ${name}\n`)
    }
  })
})
