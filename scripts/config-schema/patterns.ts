/* The forms of texts in a config, as regular expressions that the editors' validators understand: no flags, so each letter stands in both cases. */

import { STORE_KINDS } from '../../src/config/store-kinds.ts'
import { MAX_DURATION } from '../../src/duration.ts'

const anyCase = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`)

const AMOUNT = String.raw`\d+(?:\.\d+)?`
const amounts = (units: readonly string[]): string => units.map((unit) => `(?:${AMOUNT}${unit})?`).join('')
const DURATION = `(?:${amounts(['w', 'd', 'h', 'm(?!s)', 's', 'ms'])}|P${amounts(['W', 'D'])}(?:T(?=\\d)${amounts(['H', 'M', 'S'])})?)`

/**
 * A duration as a text or a number, of at least `min` ms. The text comes first: editors report the first possibility.
 */
export const duration = (min: number): readonly object[] => [
  // Zero is the one value whose text can be told from the others without reading it as a number, and a bare number of
  // ms.
  { type: 'string', pattern: `^(?=.*${min > 0 ? '[1-9]' : '\\d'})${min > 1 ? notBelow(min) : ''}${DURATION}$` },
  { type: 'number', minimum: min, maximum: MAX_DURATION },
]

/** Refuses the plain texts below `min` ms, such as `5ms` where it is 10 ms. */
function notBelow(min: number): string {
  const digits = String(min).length - 1
  const milliseconds = `0*\\d{1,${digits}}(?:\\.0+)?ms$`
  return `(?!${milliseconds})`
}

interface Field {
  readonly values: string
  readonly steps: number
  /** What may follow a value. */
  readonly suffix?: string
  readonly others?: readonly string[]
}

const MONTHS = anyCase('JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC')
const DAYS = anyCase('SUN|MON|TUE|WED|THU|FRI|SAT')
const TO_59: Field = { values: '[0-5]?\\d', steps: 60 }
const FIELDS: readonly Field[] = [
  TO_59,
  TO_59,
  { values: '2[0-3]|[01]?\\d', steps: 24 },
  { values: '3[01]|[12]\\d|0?[1-9]', steps: 31, suffix: '[Ww]', others: [anyCase('LW'), anyCase('L')] },
  { values: `1[0-2]|0?[1-9]|${MONTHS}`, steps: 12 },
  { values: `0?[0-7]|${DAYS}`, steps: 8, suffix: '(?:#[1-5Ll]|[Ll])' },
  { values: '0*[1-9]\\d{0,3}', steps: 10_000 },
]

function field({ values, steps, suffix = '', others = [] }: Field): string {
  const step = `/0*(?:${upTo(steps)})`
  const end = suffix === '' ? '' : `${suffix}?`
  const parts = [...others, `[*?](?:${step}${end})?`, `(?:${values})(?:-(?:${values})(?:${step})?)?${end}`]
  const part = `(?:${parts.join('|')})`
  return `${part}(?:,${part})*`
}

/** The numbers from 1 to a two-digit number, or to a power of ten. */
function upTo(most: number): string {
  if (most >= 100) return `${most}|[1-9]\\d{0,${String(most).length - 2}}`
  const [tens = '', ones = ''] = most < 10 ? ['', String(most)] : String(most)
  if (tens === '') return `[1-${ones}]`
  const below = Number(tens) > 1 ? `[1-${Number(tens) - 1}]\\d|` : ''
  return `${tens}[0-${ones}]|${below}[1-9]`
}

const [SECOND = '', ...REST] = FIELDS.map(field)
const NICKNAMES = `@(?:${['yearly', 'annually', 'monthly', 'weekly', 'daily', 'midnight', 'hourly'].map(anyCase).join('|')})`
const [MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR] = REST
const FIVE = [MINUTE, HOUR, DAY, MONTH, `\\+?(?:${WEEKDAY})`].join('\\s+')

/** A cron pattern: each field's values, steps and letters. That a range goes upwards is left to `ticklock validate`. */
export const CRON = `^\\s*(?:${NICKNAMES}|(?:${SECOND}\\s+)?${FIVE}|${SECOND}\\s+${FIVE}\\s+(?:${YEAR}))\\s*$`

/** An `http://` or `https://` URL without user and password. */
export const HTTP_URL = `^${anyCase('http')}[Ss]?://(?![^/?#]*@)[^/?#\\s]`

/** URLs of these schemes. */
export const urlOf = (schemes: readonly string[]): string =>
  `^(?:${schemes.map((scheme) => anyCase(scheme).replaceAll('+', '\\+')).join('|')}):`

/** The URL of a store. */
export const STORE_URL = urlOf(STORE_KINDS.flatMap(({ schemes }) => schemes))
