/* How numbers and times are said to people. */

export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`

/** A length of time in one or two units: `3 s`, `1 h 5 min`, `2 d`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${ms < 10_000 ? trim(ms / 1_000) : Math.round(ms / 1_000)} s`
  if (ms < 600_000 && ms % 60_000 >= 500) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d`
}

const trim = (value: number): string => value.toFixed(1).replace(/\.0$/, '')

/** `in 5 min`, `3 s ago`. */
export const relative = (time: number, now: number): string =>
  time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`

/** `2026-01-31 02:00:00` in the zone; without the day where that is today. */
export function clockTime(
  time: number,
  timeZone: string | undefined,
  options: { readonly day?: boolean } = {},
): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    ...(timeZone !== undefined && { timeZone }),
    ...(options.day !== false && { year: 'numeric', month: '2-digit', day: '2-digit' }),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return parts.format(time)
}
