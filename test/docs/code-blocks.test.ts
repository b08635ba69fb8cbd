import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { memory } from '../../providers/memory/index.ts'
import { type LockServer, serve } from '../../src/serve/index.ts'
import { type CodeBlock, codeBlocks, pages, root } from './code-blocks.ts'
import { storeEnvironment } from './store-environment.ts'

// Every TypeScript block of the documentation is a program of its own: it compiles, and it runs to its end, or until the SIGTERM that it waits for, with exit
// code 0. The blocks lie inside the project while they run, so that they import the package by its name.
const { environment, missing } = storeEnvironment(inject('servers'))
const blocks = pages().flatMap(codeBlocks)
const programs = blocks.filter(({ language }) => language === 'ts')
const RUN_FOR = 3_000
let folder: string
let server: LockServer

/** Nest's decorators are the legacy ones: such blocks have a folder of their own, with that setting. */
const isLegacy = ({ code }: CodeBlock): boolean => code.includes("'ticklock/nestjs'")
const LEGACY = { experimentalDecorators: true, emitDecoratorMetadata: true }
const fileOf = (block: CodeBlock): string => {
  const { page, line, file } = block
  return join(folder, isLegacy(block) ? 'legacy' : '', page.replaceAll(/[/.]/g, '-'), file ?? `line-${line}.ts`)
}
const configOf = (up: string, options: object, exclude: readonly string[]): string =>
  JSON.stringify({
    extends: `${up}tsconfig.json`,
    compilerOptions: { noUnusedLocals: false, ...options },
    include: ['**/*.ts'],
    exclude,
  })
const needs = ({ code }: CodeBlock): string[] => missing.filter((store) => code.includes(`ticklock/${store}`))

beforeAll(async () => {
  server = await serve({ provider: memory(), listen: 0 })
  environment.LOCKS_URL = server.url
  folder = mkdtempSync(join(root, 'test', '.code-blocks-'))
  for (const block of programs) {
    mkdirSync(dirname(fileOf(block)), { recursive: true })
    writeFileSync(fileOf(block), `${block.code}\nexport {}\n`)
  }
  writeFileSync(join(folder, 'tsconfig.json'), configOf('../../', {}, ['legacy']))
  writeFileSync(join(folder, 'legacy', 'tsconfig.json'), configOf('../../../', LEGACY, []))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close({ graceFor: 0 })
})

describe('the code blocks of the documentation', () => {
  it('are there', () => expect(programs.length).toBeGreaterThan(5))

  it('compile', () => {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
    for (const project of [folder, join(folder, 'legacy')]) {
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
      expect(stdout).toBe('')
    }
  })

  for (const block of programs) {
    it.skipIf(needs(block).length > 0).concurrent(`run: ${block.page}, line ${block.line}`, async () => {
      const cwd = isLegacy(block) ? join(folder, 'legacy') : folder
      const program = spawn(process.execPath, ['--import', 'tsx', fileOf(block)], { env: environment, cwd })
      expect(await outcome(program, block.code.includes("'SIGTERM'"))).toEqual({ code: 0, errors: '' })
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
    program.stderr?.on('data', (data) => {
      errors += String(data)
    })
    program.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? signal, errors: errors.replace(/.*(ExperimentalWarning|trace-warnings).*\n/g, '') })
    })
  })
}
