import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** A fresh app in a folder of its own. */
export interface App {
  readonly folder: string
  /** Runs a command in it; rejects with what it printed when it fails. */
  run(command: string, ...args: readonly string[]): Promise<string>
  remove(): void
}

let tarball: Promise<string> | undefined

/** The tarball of the package as it was built last. */
export function packed(): Promise<string> {
  tarball ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ticklock-tarball-'))
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
    const { stdout } = await run('npm', args, { cwd: root })
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    return join(folder, stdout.trim())
  })()
  return tarball
}

const QUIET = ['--no-audit', '--no-fund', '--no-progress', '--prefer-offline', '--loglevel=error']

/** A folder as an app. */
export const appIn = (folder: string): App => ({
  folder,
  async run(command, ...args) {
    const env = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' }
    const options = { cwd: folder, env, maxBuffer: 1 << 26 }
    return run(command, args, options).then(
      ({ stdout, stderr }) => stdout + stderr,
      ({ stdout, stderr, message }) =>
        Promise.reject(new Error(`${command} ${args.join(' ')}: ${stderr}${stdout}${message}`)),
    )
  },
  remove: () => rmSync(folder, { recursive: true, force: true }),
})

/** `npm install` of the tarball and other packages, as a user types it. */
export const install = async (app: App, ...packages: readonly string[]): Promise<string> =>
  app.run('npm', 'install', ...QUIET, await packed(), ...packages)

/**
 * Installs the tarball beside other packages as a user does: npm refuses those that a peer range leaves out. `files` are copied from this folder.
 *
 * @throws what npm printed, when it refuses.
 */
export async function newApp(packages: readonly string[], files: readonly string[] = ['scenarios']): Promise<App> {
  const app = appIn(mkdtempSync(join(tmpdir(), 'ticklock-app-')))
  try {
    writeFileSync(join(app.folder, 'package.json'), '{ "private": true }')
    for (const file of files) {
      const from = join(root, 'test', 'compat', file)
      cpSync(from, app.folder, { recursive: true })
    }
    await install(app, ...packages)
    return app
  } catch (error) {
    app.remove()
    throw error
  }
}
