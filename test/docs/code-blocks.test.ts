import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { memory } from '../../providers/memory/index.ts'
import { type LockServer, serve } from '../../src/serve/index.ts'
import { type CodeBlock, codeBlocks, pages, root } from './code-blocks.ts'
import { freshApp } from './fresh-app.ts'
import { storeEnvironment } from './store-environment.ts'

// Every TypeScript block of the documentation is a program of its own: it compiles, and it runs to its end, or until
// the SIGTERM that it waits for, with exit code 0. Blocks that import vitest are tests, and pass. Every config file is
// right. All of it in a fresh folder, with the package as npm unpacks it.
const { environment, missing } = storeEnvironment(inject('servers'))
const blocks = pages().flatMap(codeBlocks)
const programs = blocks.filter(({ language }) => language === 'ts')
const configs = blocks.filter(({ language, code }) => language === 'yaml' && /^jobs:/m.test(code))
const RUN_FOR = 3_000
const pathOf = (from: string, name: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), from)
let app: Awaited<ReturnType<typeof freshApp>>
let server: LockServer

/** Nest's decorators are the legacy ones: such blocks have a folder of their own, with that setting. */
const isLegacy = ({ code }: CodeBlock): boolean => code.includes("'ticklock/nestjs'")
const isTest = ({ code }: CodeBlock): boolean => code.includes("from 'vitest'")
const LEGACY = { experimentalDecorators: true, emitDecoratorMetadata: true }
const folderOf = (block: CodeBlock): string => join(app.folder, isLegacy(block) ? 'legacy' : 'blocks')
const fileOf = (block: CodeBlock): string => {
  const { page, line, file } = block
  return join(folderOf(block), page.replaceAll(/[/.]/g, '-'), file ?? `line-${line}.ts`)
}
const configOf = (options: object): string =>
  JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { noUnusedLocals: false, ...options },
    include: ['**/*.ts'],
    exclude: [],
  })
const needs = ({ code }: CodeBlock): string[] => missing.filter((store) => code.includes(`ticklock/${store}`))

beforeAll(async () => {
  server = await serve({ provider: memory(), listen: 0 })
  environment.LOCKS_URL = server.url
  app = await freshApp()
  for (const block of programs) {
    mkdirSync(dirname(fileOf(block)), { recursive: true })
    writeFileSync(fileOf(block), `${block.code}\nexport {}\n`)
  }
  writeFileSync(join(app.folder, 'blocks', 'tsconfig.json'), configOf({}))
  writeFileSync(join(app.folder, 'legacy', 'tsconfig.json'), configOf(LEGACY))
})
afterAll(async () => {
  app?.remove()
  await server.close({ graceFor: 0 })
})

describe('the code blocks of the documentation', () => {
  it('are there', () => {
    expect(programs.length).toBeGreaterThan(5)
    expect(configs.length).toBeGreaterThan(1)
  })

  it('compile', () => {
    const tsc = pathOf('bin/tsc', 'typescript')
    for (const project of ['blocks', 'legacy']) {
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', join(app.folder, project)], { encoding: 'utf8' })
      expect(stdout).toBe('')
    }
  })

  for (const block of programs.filter((each) => !isTest(each))) {
    it.skipIf(needs(block).length > 0).concurrent(`run: ${block.page}, line ${block.line}`, async () => {
      const options = { env: environment, cwd: folderOf(block) }
      const program = spawn(process.execPath, ['--import', 'tsx', fileOf(block)], options)
      expect(await outcome(program, block.code.includes("'SIGTERM'"))).toEqual({ code: 0, errors: '' })
    })
  }

  for (const block of programs.filter(isTest)) {
    it(`pass under vitest: ${block.page}, line ${block.line}`, async () => {
      const args = [pathOf('vitest.mjs', 'vitest'), 'run', '--root', dirname(fileOf(block)), fileOf(block)]
      const { code } = await outcome(spawn(process.execPath, args, { env: environment, cwd: folderOf(block) }), false)
      expect(code).toBe(0)
    })
  }

  for (const block of configs) {
    it(`are valid: ${block.page}, line ${block.line}`, async () => {
      const folder = join(app.folder, `config-${configs.indexOf(block)}`)
      for (const [, module = ''] of block.code.matchAll(/module: ([^#\s]+)/g)) {
        mkdirSync(dirname(join(folder, module)), { recursive: true })
        writeFileSync(join(folder, module), '')
      }
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'ticklock.config.yaml'), block.code)
      const variables = [...block.code.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 'memory:'])
      const command = join(app.folder, 'node_modules', 'ticklock', 'dist', 'src', 'cli', 'bin.js')
      const env = { ...environment, ...Object.fromEntries(variables) }
      const validate = spawn(process.execPath, [command, 'validate'], { env, cwd: folder })
      expect(await outcome(validate, false)).toEqual({ code: 0, errors: '' })
    })
  }
})

/** Waits for the end; a program that waits for a signal gets it after a while, as from an orchestrator. */
function outcome(
  program: ChildProcess,
  waitsForSignal: boolean,
): Promise<{ code: number | NodeJS.Signals | null; errors: string }> {
  return new Promise((resolve) => {
    let errors = ''
    let timer: NodeJS.Timeout | undefined
    // Not before it has said something: a busy machine takes its time to start a process.
    program.stdout?.once('data', () => {
      if (!waitsForSignal) return
      timer = setTimeout(() => program.kill('SIGTERM'), RUN_FOR)
    })
    program.stdout?.resume()
    program.stderr?.on('data', (data) => {
      errors += String(data)
    })
    program.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? signal, errors: errors.replace(/.*(ExperimentalWarning|trace-warnings).*\n/g, '') })
    })
  })
}
