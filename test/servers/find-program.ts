import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installPackages } from './debian.ts'

/** Where systems put the servers that are not on everybody's PATH. */
const WELL_KNOWN = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
/** Debian keeps each version of PostgreSQL in a folder of its own. */
const DEBIAN_POSTGRESQL = '/usr/lib/postgresql'

/** The path of the first of these programs that is on this machine. */
export function findProgram(...names: readonly string[]): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const places = [...path, ...WELL_KNOWN, ...postgresqlFolders()]
  for (const name of names) {
    const place = places.find((folder) => isExecutable(join(folder, name)))
    if (place !== undefined) return join(place, name)
  }
  return undefined
}

/** The same, after the installation of a Debian package if need be and possible. */
export async function findOrInstall(debianPackage: string, ...names: readonly string[]): Promise<string> {
  const found = findProgram(...names)
  if (found !== undefined) return found
  await installPackages(names.join(' or '), debianPackage)
  const installed = findProgram(...names)
  if (installed === undefined) throw new Error(`the package ${debianPackage} brought no ${names.join(' or ')}`)
  return installed
}

/** The newest first. */
function postgresqlFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN_POSTGRESQL).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(DEBIAN_POSTGRESQL, version, 'bin'))
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
