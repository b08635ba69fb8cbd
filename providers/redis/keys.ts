import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'

/** Where a lock lies. */
export interface LockKeys {
  readonly record: string
  /** Where ShedLock looks, if locks are shared with it. */
  readonly shedLock: string | undefined
  /** What a cluster hashes of these keys: those with the same slot may go into one script call. */
  readonly slot: string
}

/** Maps names to keys and back, exactly. */
export interface KeySpace {
  readonly prefix: string
  /** Whether locks are shared with ShedLock. */
  readonly isShared: boolean
  keysOf(name: string): LockKeys
  /** The name of the lock to which a key belongs, or `undefined` for a key that isn't ours. */
  nameOf(key: string): string | undefined
  /** A SCAN pattern that every key of ours matches (and maybe others). */
  readonly pattern: string
}

export const DEFAULT_PREFIX = 'ticklock:'
const SHARED = ':ticklock:'

/**
 * The key of a record is `<prefix><name>`.
 *
 * @throws {InvalidOptionError} for a wrong prefix.
 */
export function keySpace(prefix: string): KeySpace {
  checkPrefix('prefix', prefix)
  return {
    prefix,
    isShared: false,
    keysOf(name) {
      const record = prefix + name
      return { record, shedLock: undefined, slot: hashTag(record) ?? record }
    },
    nameOf: (key) => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined),
    pattern: `${escapeGlob(prefix)}*`,
  }
}

/**
 * ShedLock's key is `<prefix><name>`. The record beside it lies in the same slot of a cluster:
 *
 *   name    ShedLock's key            hashed                      record
 *   a       job-lock:default:a        job-lock:default:a          :ticklock:{job-lock:default:a}
 *   a{b}c   job-lock:default:a{b}c    b                           :ticklock:job-lock:default:a{b}c
 *   a}b     job-lock:default:a%7Db    none would hash the same: braces are written %7B and %7D in both keys of such a name
 *
 * No record has the key of a lock, since no prefix begins with a colon.
 *
 * @throws {InvalidOptionError} for a wrong prefix.
 */
export function sharedKeySpace(prefix: string): KeySpace {
  checkPrefix('shedlock', prefix)
  return {
    prefix,
    isShared: true,
    keysOf(name) {
      const needsEscape = ESCAPED.test(name) || (name.includes('}') && hashTag(prefix + name) === undefined)
      const shedLock = prefix + (needsEscape ? escapeName(name) : name)
      const tag = hashTag(shedLock)
      if (tag !== undefined) return { record: SHARED + shedLock, shedLock, slot: tag }
      return { record: `${SHARED}{${shedLock}}`, shedLock, slot: shedLock }
    },
    nameOf(key) {
      const inner = key.startsWith(SHARED) ? key.slice(SHARED.length) : key
      const shedLock = inner !== key && !inner.startsWith(prefix) ? inner.slice(1, -1) : inner
      return shedLock.startsWith(prefix) ? unescapeName(shedLock.slice(prefix.length)) : undefined
    },
    pattern: `*${escapeGlob(prefix)}*`,
  }
}

const ESCAPED = /%(?:25|7B|7D)/

const escapeName = (name: string): string =>
  name.replace(/[%{}]/g, (char) => (char === '%' ? '%25' : encodeURIComponent(char)))

const unescapeName = (name: string): string =>
  ESCAPED.test(name) ? name.replace(/%(?:25|7B|7D)/g, decodeURIComponent) : name

function checkPrefix(option: string, prefix: unknown): void {
  if (typeof prefix === 'string' && /^(?!:)[^{}]*(?:\{[^{}]+\}[^{}]*)?$/.test(prefix) && prefix !== '') return
  throw new InvalidOptionError(
    `${option} must be a string that doesn't begin with ':' and has braces only around one hash tag, such as 'jobs:' or '{jobs}:', but is ${show(prefix)}`,
  )
}

const escapeGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')

/** What a cluster hashes of a key in place of all of it, if anything. */
function hashTag(key: string): string | undefined {
  const open = key.indexOf('{')
  const close = key.indexOf('}', open + 1)
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined
}
