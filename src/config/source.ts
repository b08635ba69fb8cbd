import type { Mistake, Path } from './mistake.ts'

/** A config file as it was read: its value, and the way from a place in the value to the place in the file. */
export interface Source {
  /** With the environment's values put in. */
  readonly value: unknown
  /** What is wrong with the file itself: its syntax, variables that are not set. */
  readonly mistakes: readonly Mistake[]
  /** Whether the value there was put in from the environment, and so must not be shown. */
  substituted(path: Path): boolean
  /** The string as it stands in the file, where a value was put in from the environment. */
  written(path: Path): string | undefined
  /** A mistake at the key or the value that the path leads to, or at what is nearest to it. */
  mistake(path: Path, at: 'key' | 'value', message: string): Mistake
}

/** A path as the key of a map. */
export const pathKey = (path: Path): string => JSON.stringify(path)

/** A path for people: `jobs[1].cron`. */
export const showPath = (path: Path): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('')
