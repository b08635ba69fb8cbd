import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'

/** The two keys of a lock, always in one cluster slot. */
export interface LockKeys {
  readonly lock: string
  readonly state: string
  /** What a cluster hashes of both: keys with the same tag may go into one script call. */
  readonly tag: string
}

/** Maps names to keys and back, exactly. */
export interface KeySpace {
  keysOf(name: string): LockKeys
  /** What a key says, or `undefined` for one that isn't ours. */
  parse(key: string): { readonly name: string; readonly part: 'lock' | 'state' } | undefined
  /** A SCAN pattern that every key of ours matches (and maybe others). */
  readonly pattern: string
}

export const DEFAULT_PREFIX = 'ticklock:'
const STATE_SUFFIX = '}:state'
const STATE_PREFIX = ':state:'

/**
 * The lock key is `<prefix><name>`, as ShedLock writes it. The state key depends on what a cluster hashes of the lock key: the
 * text between the first `{` and the first `}` after it, if there is any between them, else all of it.
 *
 *   lock key           hashed              state key
 *   ticklock:a         ticklock:a          {ticklock:a}:state
 *   ticklock:a{b}c     b                   :state:ticklock:a{b}c
 *   ticklock:a}b       ticklock:a}b        none would hash the same: braces are written %7B %7D in both keys of such a name
 *
 * No state key is another name's lock key: it begins with `{` where the prefix has no brace, or with `:`, which no prefix does.
 *
 * @throws {InvalidOptionError} for a prefix under which this can't hold.
 */
export function keySpace(prefix: string): KeySpace {
  if (typeof prefix !== 'string' || !/^(?!:)[^{}]*(?:\{[^{}]+\}[^{}]*)?$/.test(prefix) || prefix === '') {
    throw new InvalidOptionError(
      `prefix must be a text that doesn't begin with ':' and has braces only around one hash tag, such as 'jobs:' or '{jobs}:', but is ${show(prefix)}`,
    )
  }

  const keysOf = (name: string): LockKeys => {
    const lock = prefix + (needsEscape(prefix, name) ? escapeName(name) : name)
    const tag = hashTag(lock)
    return tag === undefined
      ? { lock, state: `{${lock}${STATE_SUFFIX}`, tag: lock }
      : { lock, state: STATE_PREFIX + lock, tag }
  }

  return {
    keysOf,
    parse(key) {
      for (const lock of lockKeysIn(key)) {
        if (!lock.startsWith(prefix)) continue
        const name = unescapeName(lock.slice(prefix.length))
        const keys = keysOf(name)
        if (key === keys.lock) return { name, part: 'lock' }
        if (key === keys.state) return { name, part: 'state' }
      }
      return undefined
    },
    pattern: `*${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`,
  }
}

/** What a cluster hashes of a key instead of all of it, if anything. */
function hashTag(key: string): string | undefined {
  const open = key.indexOf('{')
  const close = key.indexOf('}', open + 1)
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined
}

/** The lock keys that a key could be, or belong to. */
const lockKeysIn = (key: string): string[] => [
  key,
  key.startsWith(STATE_PREFIX) ? key.slice(STATE_PREFIX.length) : '',
  key.startsWith('{') && key.endsWith(STATE_SUFFIX) ? key.slice(1, -STATE_SUFFIX.length) : '',
]

const ESCAPED = /%(?:25|7B|7D)/

/** Names whose `}` would end the state key's tag too early, and names that look as if they had been escaped. */
function needsEscape(prefix: string, name: string): boolean {
  return ESCAPED.test(name) || (name.includes('}') && hashTag(prefix + name) === undefined)
}

const escapeName = (name: string): string =>
  name.replace(/[%{}]/g, (char) => (char === '%' ? '%25' : encodeURIComponent(char)))

const unescapeName = (name: string): string =>
  ESCAPED.test(name) ? name.replace(/%(?:25|7B|7D)/g, decodeURIComponent) : name
