import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packed } from '../compat/app.ts'
import { root } from './code-blocks.ts'

/**
 * A folder with the package as npm unpacks it. The other packages are links to those of the project, so that nothing is
 * downloaded.
 */
export async function freshApp(): Promise<{ readonly folder: string; remove(): void }> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ticklock-docs-')))
  const modules = join(folder, 'node_modules')
  const own = join(modules, 'ticklock')
  mkdirSync(own, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'ticklock') symlinkSync(join(root, 'node_modules', name), join(modules, name))
  execFileSync('tar', ['-xzf', await packed(), '-C', own, '--strip-components=1'])
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
