// Compiles src and providers into dist, from nothing, so that no file of an earlier build is ever shipped: ES modules into dist, and the entry
// points that package.json exports for require() into dist/cjs.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pruneTypes } from './prune-types.mjs'
import { licences, vendor } from './vendor.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

function compile(config) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit', cwd: root })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(dist, { recursive: true, force: true })
compile(join(root, 'tsconfig.build.json'))
chmodSync(join(dist, 'src', 'cli', 'bin.js'), 0o755)

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const required = Object.values(exports).flatMap((entry) => entry.require?.default ?? [])
const files = required.map((file) => file.replace('./dist/cjs/', '../../').replace(/js$/, 'ts'))
const config = join(dist, 'cjs', 'tsconfig.json')
mkdirSync(dirname(config))
writeFileSync(config, JSON.stringify({ extends: '../../tsconfig.cjs.json', files }))
compile(config)
rmSync(config)
writeFileSync(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n')
// CommonJS has no import.meta; both builds serve the one copy of the page.
writeFileSync(
  join(dist, 'cjs', 'src', 'dashboard', 'page-folder.js'),
  "exports.pageFolder = require('node:path').join(__dirname, '../../../src/dashboard/page/')\n",
)

const entries = Object.values(exports).flatMap((entry) =>
  [entry.import?.types ?? [], entry.require?.types ?? []].flat(),
)
pruneTypes(
  dist,
  entries.map((entry) => join(root, entry)),
)

const cjs = join(dist, 'cjs')
const bundled = new Set([
  ...(await vendor({ root, folder: dist, other: cjs, format: 'esm' })),
  ...(await vendor({ root, folder: cjs, other: `${dist}/src`, format: 'cjs' })),
])
writeFileSync(join(dist, 'vendor', 'LICENSES.txt'), licences(root, bundled))

// The dashboard's page is served as it stands, with the chart library and its licence beside it.
const page = join(dist, 'src', 'dashboard', 'page')
const uPlot = dirname(dirname(createRequire(import.meta.url).resolve('uplot')))
cpSync(join(root, 'src', 'dashboard', 'page'), page, { recursive: true })
for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(uPlot, 'dist', file), join(page, file))
copyFileSync(join(uPlot, 'LICENSE'), join(page, 'uPlot.LICENSE'))
