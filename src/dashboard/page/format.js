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

/** How long until a time, down to seconds. */
export function countdown(to, now) {
  const left = to - now
  return left <= 0 ? 'now' : `in ${left < 60_000 ? `${Math.ceil(left / 1_000)} s` : span(left)}`
}

export const ago = (time, now) => (now - time < 1_000 ? 'now' : `${span(Math.max(0, now - time))} ago`)

const times = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})
const dates = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})

export const clock = (time) => times.format(time)
export const date = (time) => dates.format(time)

/** One entry in a line. */
export function told(entry) {
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
