/** One figure of the table, as `--json` prints it. */
export interface Result {
  /** The row, and what of it. */
  readonly name: string
  /** The store, or the library that it was measured on. */
  readonly provider: string
  readonly value: number
  readonly unit: string
  /** What is aimed at, for people; null for a figure that stands beside others for comparison. */
  readonly aim: string | null
  /** Whether the aim is met; true where there is none. */
  readonly ok: boolean
}

/** What is aimed at. */
export interface Aim {
  readonly text: string
  holds(value: number): boolean
}

export const atLeast = (bound: number): Aim => ({ text: `≥ ${bound}`, holds: (value) => value >= bound })
export const atMost = (bound: number): Aim => ({ text: `≤ ${bound}`, holds: (value) => value <= bound })
export const exactly = (wanted: number): Aim => ({ text: `${wanted}`, holds: (value) => value === wanted })

/** A figure; one that is no number never meets its aim. */
export function figure(name: string, provider: string, value: number, unit: string, aim?: Aim): Result {
  // Four digits: no figure here is more exact than that.
  const rounded = Number(value.toPrecision(4))
  return { name, provider, value: rounded, unit, aim: aim?.text ?? null, ok: aim?.holds(value) ?? true }
}
