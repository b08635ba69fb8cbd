import { DURATIONS } from './checks.ts'
import { nameOf, ownerOf } from './issues.ts'
import { formatMistake, type Path } from './mistake.ts'
import type { Source } from './source.ts'

/** From here on, a bare number is hardly meant as seconds. */
const LEAST = 1_000

/**
 * Warnings about durations that are bare numbers below a second: `every: 60` is 60 ms, and most often 60 seconds were
 * meant. Takes a config without mistakes.
 */
export function bareMilliseconds(config: object, source: Source): string[] {
  return numbersIn(config, []).map(([path, value]) => {
    const message = `${ownerOf(path, config)}${nameOf(path)} is ${value} milliseconds; write ${value}s for seconds, or ${value}ms`
    return formatMistake({ ...source.mistake(path, 'value', message), excerpt: undefined })
  })
}

function numbersIn(value: unknown, path: Path): [path: Path, value: number][] {
  if (typeof value === 'number') return isShort(path.at(-1), value) ? [[path, value]] : []
  if (typeof value !== 'object' || value === null || path.some((part) => WITHOUT.includes(part))) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    numbersIn(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  )
}

/** Options whose keys are the user's own. */
const WITHOUT: readonly (string | number)[] = ['env', 'http']

const isShort = (option: string | number | undefined, value: number): boolean =>
  typeof option === 'string' && (Object.hasOwn(DURATIONS, option) || option === 'window') && value > 0 && value < LEAST
