import cronstrue from 'cronstrue'
import type { JobPlan } from '../config/plan.ts'
import { parseDuration } from '../duration.ts'
import { span } from './words.ts'

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

/** A job's schedule in words; a pattern that only croner reads stays as it is. */
export function scheduleInWords({ options: { cron, every, timezone } }: JobPlan): string {
  if (cron === undefined) return `every ${span(parseDuration(every, { option: 'every' }))}`
  const pattern = NICKNAMES[cron.trim().toLowerCase()] ?? cron
  try {
    const words = cronstrue.toString(pattern, { use24HourTimeFormat: true, verbose: false })
    return `${words.charAt(0).toLowerCase()}${words.slice(1)}${timezone === undefined ? ', UTC' : `, ${timezone}`}`
  } catch {
    return `${cron}, ${timezone ?? 'UTC'}`
  }
}
