/** When something could not work, as a span of true time. */
export interface Outage {
  readonly from: number
  /** Infinity while it lasts. */
  until: number
  readonly why: string
}

/** The outage that overlaps a span, if any does. */
export const overlapping = (outages: readonly Outage[], from: number, until: number): Outage | undefined =>
  outages.find((outage) => outage.from <= until && outage.until >= from)

/** The parts of a span without any of these outages, in order. */
export function clearParts(outages: readonly Outage[], from: number, until: number): { from: number; until: number }[] {
  const parts: { from: number; until: number }[] = []
  let clearFrom = from
  const within = outages.filter((each) => each.from < until && each.until > from).sort((a, b) => a.from - b.from)
  for (const outage of within) {
    if (outage.from > clearFrom) parts.push({ from: clearFrom, until: outage.from })
    clearFrom = Math.max(clearFrom, outage.until)
  }
  if (until > clearFrom) parts.push({ from: clearFrom, until })
  return parts
}

/** Whether somewhere in a span there are so many ms in a row without any of these outages. */
export const hasClear = (outages: readonly Outage[], from: number, until: number, length: number): boolean =>
  clearParts(outages, from, until).some((part) => part.until - part.from >= length)
