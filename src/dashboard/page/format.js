/* Times and outcomes for people. */

export const OUTCOMES = {
  succeeded: 'succeeded',
  failed: 'failed',
  lost: 'lock lost',
  vanished: 'node vanished',
  running: 'running',
  skipped: 'skipped',
  missed: 'missed',
}

export function span(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${ms < 10_000 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${String(Math.floor((ms % 60_000) / 1_000)).padStart(2, '0')} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A length of time in one unit. */
export function roughly(ms) {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} d`
}

/** How long until a time, down to seconds. */
export function countdown(to, now) {
  const left = to - now
  return left <= 0 ? 'now' : `in ${left < 60_000 ? `${Math.ceil(left / 1_000)} s` : span(left)}`
}

export const ago = (time, now) => (now - time < 1_000 ? 'now' : `${roughly(Math.max(0, now - time))} ago`)

/** The zone in which the page shows all times. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
const day = { month: 'short', day: 'numeric' }
const clocks = new Intl.DateTimeFormat(undefined, { ...time, second: '2-digit' })
const dates = new Intl.DateTimeFormat(undefined, { ...day, ...time, second: '2-digit' })
const shortDates = new Intl.DateTimeFormat(undefined, { weekday: 'short', ...day, ...time })
const days = new Intl.DateTimeFormat(undefined, { dateStyle: 'short' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

export const clock = (at) => clocks.format(at)
export const date = (at) => dates.format(at)
/** The time alone on this day, else with the day. */
export const when = (at, now) => (days.format(at) === days.format(now) ? clock(at) : shortDates.format(at))

/** A time in full: in the page's zone, and in the job's where that is another. */
export function inFull(at, zone) {
  if (zone === undefined || zone === ZONE) return full.format(at)
  const there = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long', timeZone: zone })
  return `${full.format(at)}\n${there.format(at)}`
}

/** One entry in a line. */
export function inWords(entry) {
  const parts = [
    `${entry.job}: ${OUTCOMES[entry.outcome] ?? entry.outcome}`,
    `tick ${date(entry.scheduledAt)}`,
    `on ${entry.node}`,
  ]
  if (entry.duration !== undefined) parts.push(`took ${span(entry.duration)}`)
  if (entry.reason) parts.push(entry.reason)
  if (entry.error) parts.push(entry.error)
  return parts.join(' · ')
}
