import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What a config file may be called, in the order in which they are looked for. */
export const CONFIG_FILES = [
  'ticklock.config.yaml',
  'ticklock.config.yml',
  'ticklock.config.json',
  'ticklock.config.ts',
  'ticklock.config.mts',
  'ticklock.config.js',
  'ticklock.config.mjs',
]

/** There is no config file where one was looked for. */
export class ConfigNotFoundError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigNotFound'
  }
}

/**
 * The config file: the one given, or the one in the folder by its name.
 *
 * @throws {ConfigNotFoundError} when there is none, or more than one in the folder.
 */
export function findConfig(folder: string, given?: string): string {
  if (given !== undefined) {
    const file = resolve(folder, given)
    if (isFile(file)) return file
    throw new ConfigNotFoundError(`there is no config file ${file}`)
  }
  const found = CONFIG_FILES.filter((name) => isFile(join(folder, name)))
  if (found.length > 1)
    throw new ConfigNotFoundError(`${folder} has ${found.join(' and ')}: say by --config which is meant`)
  if (found[0]) return join(folder, found[0])
  throw new ConfigNotFoundError(
    `no ticklock.config.yaml (.yml, .json, .ts, .js) in ${folder}: run "ticklock init" to make one, or say --config FILE`,
  )
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile()
