import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The folder `bench`, seen from its sources or from what `bench/tsconfig.json` makes of them, in `bench/dist/bench`. */
export const folder = ['../', '../../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((path) => existsSync(`${path}package-lock.json`)) as string

/** Installs the packages of bench/package.json unless they are there: the project itself needs none of them. */
export function installRivals(say: (text: string) => void): void {
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return
  say('installs the packages of bench/package.json')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 2, 2] })
}

/** The version of a rival that is installed. */
export function versionOf(name: string): string {
  const { dependencies } = createRequire(`${folder}package.json`)('./package.json') as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  return dependencies[name] ?? ''
}
