import { resolve } from 'node:path'
import { InvalidOptionError } from '../errors.ts'
import { MAX_CLOCK_SKEW } from '../lock/lock-options.ts'
import type { LockProvider } from '../provider/contract.ts'
import type { StoreConfig, StoreOptionsConfig } from './config.ts'
import { masked } from './mask.ts'
import { suggestion } from './nearest.ts'
import { kindOf, SCHEMES, type StoreKind, schemeOf } from './store-kinds.ts'

/** A store as a config, or the command line, names it. */
export interface StorePlan {
  readonly name: string
  readonly kind: StoreKind
  /** With the paths of files absolute. May hold a password. */
  readonly options: StoreOptionsConfig
  /** How it is shown: without password. */
  readonly shown: string
  /** A last tick that lies further ahead of the store's clock is a fault, in ms. */
  readonly maxClockSkew: number
}

/** The store of a config that names none. */
export const defaultStore = (folder: string): StorePlan => readStore('default', 'sqlite:ticklock.sqlite', folder)

/**
 * Reads where a store is. Relative SQLite files are relative to `folder`.
 *
 * @throws {InvalidOptionError} whose message has no secret in it, and which names the option that is wrong.
 */
export function readStore(name: string, given: StoreConfig, folder: string): StorePlan {
  const options = typeof given === 'string' ? { url: given } : given
  const kind = kindOf(options.url)
  if (!kind) throw new InvalidOptionError(`url must be the URL of a store${meant(options.url)}`)
  const wrong = Object.keys(options).find((option) => option !== 'url' && !(kind.options as string[]).includes(option))
  if (wrong !== undefined) {
    const fit = kind.options.length === 0 ? 'none' : kind.options.join(', ')
    throw new InvalidOptionError(`${wrong} is no option of a ${kind.name} store, whose options are: ${fit}`)
  }
  const url = kind.name === 'SQLite' ? absolute(options.url, folder) : options.url
  return { name, kind, options: { ...options, url }, shown: masked(url), maxClockSkew: MAX_CLOCK_SKEW }
}

/** Opens the provider of a store; connects nothing yet. */
export async function openStore({ kind, options }: StorePlan): Promise<LockProvider> {
  return kind.open(options)
}

/** `sqlite:locks.sqlite` and `sqlite:./locks.sqlite` are relative; `sqlite:/…` and `sqlite:///…` are not. */
function absolute(url: string, folder: string): string {
  const [, path] = /^(?:sqlite|file):([^/:?#][^?#]*)$/i.exec(url) ?? []
  if (path === undefined) return url
  try {
    const file = resolve(folder, decodeURIComponent(path))
    return `sqlite:${file.split(/[\\/]/).map(encodeURIComponent).join('/')}`
  } catch {
    return url // The provider says what is wrong with it.
  }
}

function meant(url: string): string {
  const scheme = schemeOf(url)
  if (scheme !== undefined) return suggestion(scheme, SCHEMES, ', which begins with one of').replace(/^;(?! did)/, '')
  if (/\.(sqlite3?|db)$/i.test(url)) return `; did you mean ${JSON.stringify(`sqlite:${url}`)}?`
  return `, which begins with one of ${SCHEMES.map((known) => `${known}:`).join(', ')}`
}
