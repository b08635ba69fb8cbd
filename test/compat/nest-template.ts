import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type App, appIn, install } from './app.ts'
import type { Toolchain } from './toolchains.ts'

/** From the start of the built app to its first tick. The job is due each second. */
const FIRST_TICK = 10_000

/**
 * An app as Nest's own command makes it, with its tsconfig and tests: `npm i ticklock pg`, one module import and one
 * decorator are all it needs.
 */
export const nestTemplate = (major: number): Toolchain => ({
  name: `the app that "nest new" of NestJS ${major} makes, with its tsconfig and its tests`,
  async check(stores) {
    const outer = appIn(mkdtempSync(join(tmpdir(), 'ticklock-nest-')))
    try {
      const options = ['--skip-install', '--skip-git', '--package-manager', 'npm']
      await outer.run('npx', '--yes', `@nestjs/cli@${major}`, 'new', 'app', ...options)
      await checkApp(appIn(join(outer.folder, 'app')), stores)
    } finally {
      outer.remove()
    }
  },
})

async function checkApp(app: App, { POSTGRES_URL }: NodeJS.ProcessEnv): Promise<void> {
  const environment = [`POSTGRES_URL=${POSTGRES_URL}`, 'PORT=0']
  await app.run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error')
  await install(app, 'pg@8')
  addJob(app)
  await app.run('npm', 'run', 'build')
  for (const script of ['test', 'test:e2e']) {
    const output = await app.run('env', ...environment, 'npm', 'run', script)
    assert.doesNotMatch(output, /did not exit|open handle/, `${script}: ${output}`)
  }
  const took = await firstTick(app, environment)
  console.log(`     ${took} ms from the start of the app to its first tick`)
  assert.ok(took < FIRST_TICK, `the first tick came after ${took} ms`)
}

/** What the guide for NestJS says: one import and one decorator. */
function addJob({ folder }: App): void {
  edit(join(folder, 'src', 'app.module.ts'), [
    ['', "import { TicklockModule } from 'ticklock/nestjs';\nimport { postgres } from 'ticklock/postgres';\n"],
    [
      'imports: []',
      "imports: [TicklockModule.forRoot({ provider: postgres(process.env.POSTGRES_URL ?? ''), setup: true })]",
    ],
  ])
  edit(join(folder, 'src', 'app.service.ts'), [
    ['', "import { Job } from 'ticklock/nestjs';\n"],
    [
      '  getHello',
      "  @Job({ name: 'hello', every: '1s', lockAtMostFor: '10s' })\n  hello(): void {\n    console.log('first tick');\n  }\n\n  getHello",
    ],
  ])
}

function edit(file: string, changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(file, 'utf8')
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${file} has no ${from}`)
    text = text.replace(from, () => to)
  }
  writeFileSync(file, text)
}

/** How long it takes from the start of the process, in ms. */
async function firstTick({ folder }: App, environment: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  const args = [...environment, process.execPath, 'dist/main.js']
  const program = spawn('env', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  try {
    return await new Promise<number>((resolve, reject) => {
      for (const stream of [program.stdout, program.stderr]) {
        createInterface(stream).on('line', (line) => {
          output += `${line}\n`
          if (line === 'first tick') resolve(Math.round(performance.now() - startedAt))
        })
      }
      program.once('exit', (code) => reject(new Error(`dist/main.js ended with ${code}:\n${output}`)))
    })
  } finally {
    program.kill('SIGKILL')
  }
}
