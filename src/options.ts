/* Checks that every set of options shares. Each error names what the options belong to, the option, and the value. */
import { show } from './duration.ts'
import { InvalidOptionError } from './errors.ts'

/** Refuses what is not an object, and every key that is not in `known`. Keys whose value is undefined count as absent. */
export function checkKeys(options: unknown, known: readonly string[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError(`${of}: options must be an object, but are ${show(options)}`)
  }
  const values = options as Record<string, unknown>
  const unknown = Object.keys(options).find((key) => values[key] !== undefined && !known.includes(key))
  if (unknown === undefined) return
  throw new InvalidOptionError(`${of}: unknown option ${show(unknown)}; the options are ${known.join(', ')}`)
}

/** The one of these options that is given. @throws {InvalidOptionError} when none of them is, or several. */
export function checkOnlyOne<Option extends string>(
  options: { readonly [Key in Option]?: unknown },
  names: readonly Option[],
  of: string,
): Option {
  const given = names.filter((name) => options[name] !== undefined)
  const [only] = given
  if (only !== undefined && given.length === 1) return only
  throw new InvalidOptionError(
    `${of}: give exactly one of ${listOf(names)}, not ${given.length > 0 ? listOf(given) : 'none of them'}`,
  )
}

const listOf = (names: readonly string[]): string =>
  names.length < 3 ? names.join(' and ') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

/** Refuses a value that is not one of `allowed`; undefined passes. */
export function checkOneOf(value: unknown, allowed: readonly unknown[], of: string, option: string): void {
  if (value === undefined || allowed.includes(value)) return
  throw new InvalidOptionError(`${of}: ${option} must be ${allowed.map(show).join(' or ')}, but is ${show(value)}`)
}

/** Refuses a value that is not a boolean; undefined passes. */
export const checkBoolean = (value: unknown, of: string, option: string): void =>
  checkOneOf(value, [true, false], of, option)

/** Refuses a value without one of these methods. */
export function checkMethods(value: unknown, methods: readonly string[], of: string, option: string): void {
  const object = value as Record<string, unknown> | null | undefined
  const missing = methods.filter((method) => typeof object?.[method] !== 'function')
  if (missing.length === 0) return
  throw new InvalidOptionError(
    `${of}: ${option} must have the methods ${methods.join(', ')}, but has no ${missing.join(', ')}`,
  )
}

/** The longest name of a lock, in UTF-16 units. */
export const MAX_NAME = 255
/** The longest metadata of a lock, in UTF-16 units. */
export const MAX_METADATA = 4096

/** Checks a lock's or job's name: 1 to 255 characters that every store can keep and compare. */
export function checkName(name: unknown, what = 'lock'): string {
  const wrong = badText(name, 1, MAX_NAME)
  if (!wrong && (name as string).trim() === name) return name as string
  throw new InvalidOptionError(
    `${what}: name must be a text of 1 to ${MAX_NAME} characters without white space at its ends, NUL or half a surrogate pair, but is ${show(name)}`,
  )
}

/** Checks the text kept with a lock; undefined passes. */
export function checkMetadata(metadata: unknown, of: string): string | undefined {
  if (metadata === undefined || !badText(metadata, 0, MAX_METADATA)) return metadata as string | undefined
  throw new InvalidOptionError(
    `${of}: metadata must be a text of at most ${MAX_METADATA} characters without NUL or half a surrogate pair, but is ${show(metadata)}`,
  )
}

const badText = (text: unknown, min: number, max: number): boolean =>
  typeof text !== 'string' ||
  text.length < min ||
  text.length > max ||
  text.includes('\0') ||
  /\p{Surrogate}/u.test(text)
