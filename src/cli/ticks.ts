import type { JobPlan, Plan } from '../config/plan.ts'
import { clockTime } from '../format/format.ts'
import { readSchedule, type Schedule } from '../scheduler/plan/schedule.ts'

/** The next ticks of a job, by this machine's clock. */
export function nextTicks({ name, options }: JobPlan, count: number, from: number): Date[] {
  const { cron, every, timezone } = options
  const schedule = readSchedule({ cron, every, timezone }, `job ${JSON.stringify(name)}`)
  const ticks: Date[] = []
  for (let tick = schedule.next(from); tick !== undefined && ticks.length < count; tick = schedule.next(tick)) {
    if (ticks.at(-1)?.getTime() === tick) break
    ticks.push(new Date(tick))
  }
  return ticks
}

/** The warnings about a plan: values and schedules that are valid but probably not meant. */
export const warningsOf = (plan: Plan, now: number): string[] => [...plan.warnings, ...neverTicking(plan.jobs, now)]

/** Of each enabled job whose schedule has no tick any more, such as one on 30 February: what is wrong. Each schedule is searched once. */
function neverTicking(jobs: readonly JobPlan[], now: number): string[] {
  const known = new Map<string, Schedule>()
  return jobs.flatMap(({ name, options: { cron, every, timezone }, enabled }) => {
    const of = `job ${JSON.stringify(name)}`
    const schedule = readSchedule({ cron, every, timezone }, of, (key) => known.get(key))
    known.set(schedule.key, schedule)
    return enabled && schedule.next(now) === undefined ? [`${of}: its schedule has no tick any more`] : []
  })
}

/** The zone that a job's ticks are shown in: its own; for an interval, which knows none, this machine's. */
export const zoneOf = ({ options: { cron, timezone } }: JobPlan): string =>
  cron === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : (timezone ?? 'UTC')

/** `Tue 2026-01-31 02:00:00 +01:00`. */
export function tickTime(tick: Date, zone: string): string {
  const day = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' }).format(tick)
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(tick)
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') || '+00:00'
  return `${day} ${clockTime(tick.getTime(), zone)} ${offset}`
}
