import { Cron } from 'croner'
import { show } from '../../duration.ts'
import { InvalidOptionError } from '../../errors.ts'

/** The fields of a pattern with seconds and years, and the values they take. */
const FIELDS = [
  ['second', '0 to 59'],
  ['minute', '0 to 59'],
  ['hour', '0 to 23'],
  ['day of month', '1 to 31, L for the last day, LW for the last weekday, or 15W for the weekday nearest to the 15th'],
  ['month', '1 to 12 or JAN to DEC'],
  [
    'day of week',
    '0 to 7 or SUN to SAT, where 0 and 7 are Sunday, MON#2 for the second Monday, or FRI#L for the last Friday',
  ],
  ['year', '1 to 9999'],
] as const

const SYNTAX = '; a range goes from low to high, such as 1-5, and a step is */2 or 1-10/2'

const NICKNAMES = '@yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly'

/**
 * Reads a cron pattern. `options` give the zone.
 *
 * @throws {InvalidOptionError} that quotes the part that is wrong as the user wrote it: croner counts days and months from 0.
 */
export function readPattern(pattern: string, options: { timezone: string } | { utcOffset: number }, of: string): Cron {
  try {
    const cron = new Cron(pattern, { ...options, paused: true })
    if (cron.getPattern() !== undefined) return cron
  } catch (error) {
    const why = whatIsWrong(pattern.trim()) ?? (error as Error).message
    throw new InvalidOptionError(`${of}: cron ${show(pattern)} can't be read: ${why}`, { cause: error })
  }
  throw new InvalidOptionError(`${of}: cron must be a pattern such as '0 2 * * *', not a date, but is ${show(pattern)}`)
}

/** Whether all of a day's ticks are one: second, minute and hour have one value each. Such a job also runs when daylight saving skips its time. */
export function isDaily(pattern: string): boolean {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight)$/i.test(pattern.trim())) return true
  const fields = pattern.trim().split(/\s+/)
  const times = fields.length === 5 ? fields.slice(0, 2) : fields.slice(0, 3)
  return times.every((field) => /^[\d,-]+$/.test(field) && new Set(field.split(/[,-]/).map(Number)).size === 1)
}

function whatIsWrong(pattern: string): string | undefined {
  if (pattern.startsWith('@')) return `there is no such nickname; there are ${NICKNAMES}`
  const fields = pattern.split(/\s+/)
  if (fields.length < 5 || fields.length > 7)
    return `it has ${pattern === '' ? 'no' : fields.length} field${fields.length === 1 && pattern !== '' ? '' : 's'}; a pattern has 5, or 6 with seconds first, or 7 with years last`
  const known = fields.length === 5 ? FIELDS.slice(1, 6) : FIELDS
  for (const [index, field] of fields.entries()) {
    const fails = (value: string): boolean => !isReadable(fields.map((_, at) => (at === index ? value : '*')).join(' '))
    if (!fails(field)) continue
    const part = field.split(',').find(fails) ?? field
    const [name, values] = known[index] ?? FIELDS[0]
    return `${name} is ${show(part)}, and takes ${values}${/[-/]/.test(part) ? SYNTAX : ''}`
  }
  return undefined
}

function isReadable(pattern: string): boolean {
  try {
    new Cron(pattern, { paused: true })
    return true
  } catch {
    return false
  }
}
