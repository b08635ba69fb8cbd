import { strict as assert } from 'node:assert'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, newApp } from './app.ts'
import { nestTemplate } from './nest-template.ts'

/** A compiler, bundler, test runner or runtime in which an app with ticklock has to work. */
export interface Toolchain {
  readonly name: string
  check(stores: NodeJS.ProcessEnv): Promise<void>
}

async function inApp(packages: readonly string[], work: (app: App) => Promise<unknown>): Promise<void> {
  const app = await newApp(packages, ['scenarios', 'sources'])
  try {
    await work(app)
  } finally {
    app.remove()
  }
}

const NEST = ['@nestjs/common@10', '@nestjs/core@10', '@nestjs/schedule@4', 'reflect-metadata@0.2', 'rxjs@7']
const NODE_TYPES = '@types/node@20'
const PROOF = /^ran once$/m

const node = async (app: App, ...args: readonly string[]): Promise<void> =>
  assert.match(await app.run(process.execPath, ...args), PROOF)

/** Compiles a file that imports every entry point whose library is there, without `skipLibCheck`, and for the last setting runs what comes out. */
const typescript = (
  version: string,
  settings: readonly (readonly [module: string, resolution: string])[],
): Toolchain => ({
  name: `TypeScript ${version}, target ES2020, skipLibCheck false: ${settings.map((setting) => setting.join(' with ')).join(', ')}`,
  check: () =>
    inApp([`typescript@${version}`, NODE_TYPES, ...NEST], async (app) => {
      const manifest = JSON.parse(
        await app.run(process.execPath, '-p', 'JSON.stringify(require("ticklock/package.json").exports)'),
      )
      const missing = /fastify|opentelemetry|prometheus/
      const entries = Object.keys(manifest).filter((entry) => manifest[entry].require && !missing.test(entry))
      const lines = entries.map(
        (entry, index) =>
          `import * as m${index} from 'ticklock${entry.slice(1)}'\nexport const e${index} = Object.keys(m${index})`,
      )
      writeFileSync(join(app.folder, 'entries.ts'), lines.join('\n'))
      for (const [module, resolution] of settings) {
        const options = [
          '--strict',
          '--target',
          'es2020',
          '--skipLibCheck',
          'false',
          '--outDir',
          'out',
          '--types',
          'node',
        ]
        const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
        await app.run(
          process.execPath,
          tsc,
          ...options,
          '--module',
          module,
          '--moduleResolution',
          resolution,
          'entries.ts',
          'once.ts',
        )
      }
      await node(app, 'out/once.js')
    }),
})

/** Runs or bundles the same source by another tool. */
const tool = (name: string, packages: readonly string[], work: (app: App) => Promise<unknown>): Toolchain => ({
  name,
  check: () => inApp(packages, work),
})

/** What pg brings by itself. */
const OF_PG = /^(pg|pg-.*|pgpass|postgres-.*|xtend|split2)$/

/** The packages of an app, and how many bytes each takes on the disk. */
function packagesOf(folder: string): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const file of readdirSync(join(folder, 'node_modules'), { recursive: true }).map(String)) {
    const name = /^(?:@[^/]+\/)?[^./][^/]*(?=\/)/.exec(file)?.[0]
    const { blocks } = statSync(join(folder, 'node_modules', file))
    if (name !== undefined) sizes.set(name, (sizes.get(name) ?? 0) + blocks * 512)
  }
  return sizes
}

const weight: Toolchain = {
  name: 'an app with ticklock and pg: at most 12 MB and 20 packages beyond pg',
  check: () =>
    inApp(['pg@8'], async ({ folder }) => {
      const packages = [...packagesOf(folder)].filter(([name]) => !OF_PG.test(name))
      const bytes = packages.reduce((sum, [, size]) => sum + size, 0)
      console.log(`     ${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB beyond pg`)
      assert.ok(packages.length <= 20 && bytes <= 12e6, `${packages.length} packages with ${bytes} bytes: ${packages}`)
    }),
}

export const toolchains: readonly Toolchain[] = [
  weight,
  nestTemplate(10),
  nestTemplate(11),
  nestTemplate(12),
  typescript('5.0', [
    ['node16', 'node16'],
    ['commonjs', 'node10'],
  ]),
  typescript('5.4', [
    ['commonjs', 'node10'],
    ['node16', 'node16'],
  ]),
  typescript('5.9', [
    ['commonjs', 'node10'],
    ['nodenext', 'nodenext'],
  ]),
  typescript('6.0', [['nodenext', 'nodenext']]),
  typescript('7.0', [['nodenext', 'nodenext']]),
  tool(
    'Jest 29 with ts-jest, as NestJS sets it up',
    ['jest@29', 'ts-jest@29', 'typescript@5', '@types/jest@29', NODE_TYPES, ...NEST, '@nestjs/testing@10'],
    async (app) => {
      const jest = {
        rootDir: '.',
        moduleFileExtensions: ['js', 'json', 'ts'],
        testRegex: '.*\\.spec\\.ts$',
        transform: { '^.+\\.(t|j)s$': 'ts-jest' },
        testEnvironment: 'node',
      }
      writeFileSync(join(app.folder, 'package.json'), JSON.stringify({ private: true, jest }))
      const compilerOptions = {
        module: 'commonjs',
        declaration: true,
        removeComments: true,
        emitDecoratorMetadata: true,
        experimentalDecorators: true,
        allowSyntheticDefaultImports: true,
        target: 'ES2021',
        skipLibCheck: true,
        strictNullChecks: false,
      }
      writeFileSync(join(app.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
      await app.run(process.execPath, 'node_modules/jest/bin/jest.js')
    },
  ),
  tool('SWC', ['@swc/cli@0.7', '@swc/core@1'], async (app) => {
    await app.run('npx', 'swc', 'once.ts', '-d', 'out', '-C', 'module.type=commonjs')
    await node(app, 'out/once.js')
  }),
  tool('ts-node', ['ts-node@10', 'typescript@5', NODE_TYPES], (app) =>
    node(app, join('node_modules', 'ts-node', 'dist', 'bin.js'), '-O', '{"module":"commonjs"}', 'once.ts'),
  ),
  tool('tsx', ['tsx@4'], (app) => node(app, '--import', 'tsx', 'once.ts')),
  tool('webpack', ['webpack@5', 'webpack-cli@6', 'ts-loader@9', 'typescript@5', NODE_TYPES], async (app) => {
    writeFileSync(join(app.folder, 'tsconfig.json'), '{ "files": ["once.ts"] }')
    await app.run('npx', 'webpack', '--config', 'webpack.config.cjs')
    await node(app, 'out/main.js')
  }),
  tool('esbuild', ['esbuild@0.25'], async (app) => {
    for (const format of ['cjs', 'esm']) {
      const file = `out/once.${format === 'esm' ? 'mjs' : 'cjs'}`
      await app.run(
        'npx',
        'esbuild',
        'once.ts',
        '--bundle',
        '--platform=node',
        `--format=${format}`,
        `--outfile=${file}`,
      )
      await node(app, file)
    }
  }),
  tool('Bun', ['bun@1'], async (app) => assert.match(await app.run('npx', 'bun', 'once.ts'), PROOF)),
  tool('Deno', ['deno@2'], async (app) => assert.match(await app.run('npx', 'deno', 'run', '-A', 'once.ts'), PROOF)),
]
