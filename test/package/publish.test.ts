import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('npm publish', () => {
  it('has nothing to correct in package.json, and takes the files that are meant', async () => {
    // The test's global set-up has built the package.
    const args = ['publish', '--dry-run', '--ignore-scripts', '--json']
    const { stdout, stderr } = await promisify(execFile)('npm', args, { cwd: root, maxBuffer: 2 ** 24 })
    const warnings = stderr.split('\n').filter((line) => line.startsWith('npm warn'))
    expect(warnings.filter((line) => !line.includes('requires you to be logged in'))).toEqual([])
    const published = JSON.parse(stdout) as Published | { readonly ticklock: Published }
    const files = ('files' in published ? published : published.ticklock).files.map(({ path }) => path)
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'config.schema.json']))
    const others = files.filter((path) => !/^(dist|docs)\/|^[\w.]+$/.test(path))
    expect(others).toEqual([])
  })
})

interface Published {
  readonly files: readonly { readonly path: string }[]
}
