import cronstrue from 'cronstrue'
import { span } from './format.ts'

/** croner's nicknames, as patterns. */
const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** A schedule in words; a pattern that only croner reads stays as it is. */
export function describeSchedule(schedule: {
  readonly cron: string | undefined
  readonly timezone: string | undefined
  /** In ms. */
  readonly every: number | undefined
}): string {
  const { cron, timezone = 'UTC', every = 0 } = schedule
  if (cron === undefined) return `every ${span(every)}`
  const pattern = NICKNAMES[cron.trim().toLowerCase()] ?? cron
  try {
    const words = cronstrue.toString(pattern, { use24HourTimeFormat: true, verbose: false })
    return `${words.charAt(0).toLowerCase()}${words.slice(1)}, ${timezone}`
  } catch {
    return `${cron}, ${timezone}`
  }
}
