import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The types of Node.js 20 don't know it. */
const readsTypeScript = Boolean((process.features as { readonly typescript?: unknown }).typescript)

/**
 * Imports a file of the user's, TypeScript too, as it is on the disk now: a file that has changed since it was imported before is imported anew. What it imports itself
 * stays as it was.
 *
 * Node.js reads TypeScript itself from 22.18 on. Before, jiti does, which needs no compiler to be installed.
 */
export async function importFile(file: string): Promise<Record<string, unknown>> {
  if (/^\.[cm]?ts$/.test(extname(file)) && !readsTypeScript) {
    const { createJiti } = await import('jiti')
    return createJiti(import.meta.url, { fsCache: false, moduleCache: false }).import(file)
  }
  const { mtimeMs } = statSync(file)
  return import(`${pathToFileURL(file).href}?changed=${mtimeMs}`)
}
