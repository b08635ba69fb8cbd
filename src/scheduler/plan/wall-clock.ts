/** Ms of a day; no zone is further from UTC. */
const DAY = 86_400_000

/** What the clocks of a time zone show. Wall times are ms since the epoch as if the zone were UTC. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat

  constructor(timezone: string) {
    this.#format = formatOf(timezone)
  }

  /** The wall time at an instant, in whole seconds. */
  at(instant: number): number {
    const second = Math.floor(instant / 1000) * 1000
    return second + this.#offset(second)
  }

  /**
   * The first instant at which the clocks show this wall time or a later one: the only one, the first of two where the clocks are set back, the end of the gap
   * where they are set forward. Grows with the wall time, so ticks keep their order.
   */
  firstInstant(wall: number): number {
    const before = this.#offset(wall - DAY)
    if (this.#offset(wall - before) === before) return wall - before
    // The clocks change between the two. No zone changes twice in two days.
    const after = this.#offset(wall + DAY)
    return this.#offset(wall - after) === after ? wall - after : this.#changeFrom(before, wall - DAY, wall + DAY)
  }

  /** The first whole second in (low, high] at which the offset is no longer this one. */
  #changeFrom(offset: number, low: number, high: number): number {
    let [same, changed] = [Math.floor(low / 1000), Math.floor(high / 1000)]
    while (changed - same > 1) {
      const middle = Math.floor((same + changed) / 2)
      if (this.#offset(middle * 1000) === offset) same = middle
      else changed = middle
    }
    return changed * 1000
  }

  /** By how many ms the clocks are ahead of UTC at an instant of whole seconds. */
  #offset(instant: number): number {
    const shown: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(instant)) shown[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** One for each zone: a format costs more than all else about a schedule. */
function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone)
  if (!format) {
    const numeric = 'numeric'
    const parts = {
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    } as const
    format = new Intl.DateTimeFormat('en-US', { ...parts, timeZone: timezone, hourCycle: 'h23', calendar: 'gregory' })
    formats.set(timezone, format)
  }
  return format
}
