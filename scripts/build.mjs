// Compiles src and providers into dist, from nothing, so that no file of an earlier build is ever shipped.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
  cwd: root,
})
if (status !== 0) process.exit(status ?? 1)
chmodSync(join(root, 'dist', 'src', 'cli', 'bin.js'), 0o755)

// The dashboard's page is served as it stands, with the chart library and its licence beside it.
const page = join(root, 'dist', 'src', 'dashboard', 'page')
const uPlot = dirname(dirname(createRequire(import.meta.url).resolve('uplot')))
cpSync(join(root, 'src', 'dashboard', 'page'), page, { recursive: true })
for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(uPlot, 'dist', file), join(page, file))
copyFileSync(join(uPlot, 'LICENSE'), join(page, 'uPlot.LICENSE'))
