import type { JobPlan } from '../config/plan.ts'
import { parseDuration } from '../duration.ts'
import { describeSchedule } from '../format/describe-schedule.ts'

/** A job's schedule in words; a pattern that only croner reads stays as it is. */
export const scheduleInWords = ({ options: { cron, every, timezone } }: JobPlan): string =>
  describeSchedule({
    cron,
    timezone,
    every: every === undefined ? undefined : parseDuration(every, { option: 'every' }),
  })
