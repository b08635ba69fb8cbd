import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { StoreKind } from '../config/store-kinds.ts'

/** The drivers of SQLite where Node.js has none of its own, which is before 22.13. */
const SQLITE = ['@photostructure/sqlite', 'better-sqlite3']

/** The installed driver of a store with its version; `undefined` where none is needed. */
export const installedDriver = (kind: StoreKind): string | undefined => driversOf(kind).flatMap(installed)[0]

/** A sentence that says which driver of a store has to be installed, and by which command; `undefined` when nothing is missing. */
export function missingDriver(kind: StoreKind): string | undefined {
  const [driver] = driversOf(kind)
  if (driver === undefined || installedDriver(kind) !== undefined) return undefined
  if (kind.name !== 'SQLite') return `the package ${driver} is not installed: run "npm install ${driver}"`
  return `Node.js ${process.versions.node} has no SQLite of its own: run "npm install ${driver}", or use Node.js 22.13 or later`
}

function driversOf({ name, driver }: StoreKind): readonly string[] {
  if (name === 'SQLite') return process.getBuiltinModule('node:sqlite') ? [] : SQLITE
  return driver === undefined ? [] : [driver]
}

function installed(name: string): readonly string[] {
  const require = createRequire(import.meta.url)
  // Not every package exports its package.json.
  const folder = (require.resolve.paths(name) ?? []).find((each) => existsSync(join(each, name, 'package.json')))
  if (folder) return [`${name} ${(require(join(folder, name, 'package.json')) as { version: string }).version}`]
  try {
    require.resolve(name) // Yarn finds packages that lie in no such folder.
    return [name]
  } catch {
    return []
  }
}
