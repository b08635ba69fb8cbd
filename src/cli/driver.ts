import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { StoreKind } from '../config/store-kinds.ts'

/** The drivers of SQLite where Node.js has none of its own, which is before 22.13. */
const SQLITE = ['@photostructure/sqlite', 'better-sqlite3']

/** The installed drivers of a store with their versions; `undefined` where none is needed or installed. */
export function installedDriver(kind: StoreKind): string | undefined {
  const found = driversOf(kind).flatMap(installed)
  return (isSqlite(kind) ? found[0] : found.join(', ')) || undefined
}

/**
 * A sentence that says which drivers of a store have to be installed, and by which command; `undefined` when nothing is
 * missing.
 */
export function missingDriver(kind: StoreKind): string | undefined {
  const drivers = driversOf(kind)
  const missing = drivers.filter((driver) => installed(driver).length === 0)
  if (isSqlite(kind))
    return drivers.length > 0 && missing.length === drivers.length
      ? `Node.js ${process.versions.node} has no SQLite of its own: run "npm install ${drivers[0]}", or use Node.js 22.13 or later`
      : undefined
  if (missing.length === 0) return undefined
  const packages = missing.length > 1 ? `packages ${missing.join(' and ')} are` : `package ${missing[0]} is`
  return `the ${packages} not installed: run "npm install ${missing.join(' ')}"`
}

const isSqlite = ({ name }: StoreKind): boolean => name === 'SQLite'

function driversOf(kind: StoreKind): readonly string[] {
  if (isSqlite(kind)) return process.getBuiltinModule('node:sqlite') ? [] : SQLITE
  return kind.drivers
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
