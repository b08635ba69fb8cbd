import { InvalidOptionError } from './errors.ts'

/**
 * A length of time: a number of milliseconds, or a string such as `'100ms'`, `'10s'`, `'5m'`, `'1h30m'`, `'2d'`, `'1w'`,
 * or an ISO 8601 duration of days and smaller, such as `'PT10M'` or `'P1DT12H'`. Strings are read strictly: units in falling
 * order, each at most once, no spaces, no sign.
 */
export type Duration = number | string

const MILLISECONDS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

const AMOUNT = String.raw`(\d+(?:\.\d+)?)`
const SIMPLE = new RegExp(
  `^(?:${AMOUNT}w)?(?:${AMOUNT}d)?(?:${AMOUNT}h)?(?:${AMOUNT}m(?!s))?(?:${AMOUNT}s)?(?:${AMOUNT}ms)?$`,
)
const ISO = new RegExp(`^P(?:${AMOUNT}W)?(?:${AMOUNT}D)?(?:T(?=\\d)(?:${AMOUNT}H)?(?:${AMOUNT}M)?(?:${AMOUNT}S)?)?$`)

/** The longest duration taken, 100 years: beyond it lies a mistake, and dates that stores can't hold. */
export const MAX_DURATION = 100 * 365 * MILLISECONDS.d

export interface DurationBounds {
  /** What the option belongs to, for the message, such as `job "nightly"`. */
  readonly of?: string | undefined
  /** The option's name, for the message. */
  readonly option: string
  /** The least value allowed, in milliseconds. @default 0 */
  readonly min?: number
}

/**
 * Reads a duration as whole milliseconds (fractions are rounded up, so a lease never gets shorter than requested).
 *
 * @throws {InvalidOptionError} for anything that is not a duration between `min` and 100 years; the message names the
 * owner of the option, the option, and the value.
 */
export function parseDuration(value: unknown, { of, option, min = 0 }: DurationBounds): number {
  const milliseconds = Math.ceil(read(value))
  if (milliseconds >= min && milliseconds <= MAX_DURATION) return milliseconds
  const expected = Number.isNaN(milliseconds)
    ? "milliseconds as a number, or a string such as '500ms', '10s', '5m', '1h30m' or 'PT10M'"
    : `a duration from ${min} ms to 100 years`
  throw new InvalidOptionError(`${of ? `${of}: ` : ''}${option} must be ${expected}, but is ${show(value)}`)
}

function read(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > 100) return Number.NaN
  const simple = value === '' ? null : SIMPLE.exec(value)
  if (simple) return total(simple, [MILLISECONDS.w, MILLISECONDS.d, MILLISECONDS.h, MILLISECONDS.m, MILLISECONDS.s, 1])
  const iso = /\d/.test(value) ? ISO.exec(value) : null
  if (iso) return total(iso, [MILLISECONDS.w, MILLISECONDS.d, MILLISECONDS.h, MILLISECONDS.m, MILLISECONDS.s])
  return Number.NaN
}

function total(match: RegExpExecArray, units: readonly number[]): number {
  // Decimal fractions of a unit have no exact binary form: round what is a whole number of ms but for that.
  const sum = units.reduce((before, unit, index) => before + Number(match[index + 1] ?? 0) * unit, 0)
  return Math.abs(sum - Math.round(sum)) < 1e-6 ? Math.round(sum) : sum
}

/** A value as a message shows it: strings quoted and cut, others by their own words. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
