/** The way to a place in a config file: keys and indices from the top. */
export type Path = readonly (string | number)[]

/** One mistake in a config file. */
export interface Mistake {
  readonly file: string
  /** From 1; undefined where the file is a program, whose values have no places. */
  readonly line: number | undefined
  readonly column: number | undefined
  /** What is wrong and what was expected, without any value that could be a secret. */
  readonly message: string
  /** The line as it stands in the file, secrets masked, and how much of it is meant. */
  readonly excerpt: { readonly text: string; readonly from: number; readonly length: number } | undefined
}

/** The text for people: place, message, and the line with the place marked. */
export function formatMistake({ file, line, column, message, excerpt }: Mistake): string {
  const head = line === undefined ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`
  if (!excerpt || line === undefined) return head
  const number = String(line).padStart(5)
  const marker = ' '.repeat(excerpt.from) + '^'.repeat(Math.max(1, excerpt.length))
  return `${head}\n${number} | ${excerpt.text}\n${' '.repeat(5)} | ${marker}`
}

/** All mistakes that were found in a config file, in the order of their places. */
export class ConfigError extends Error {
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join('\n\n'))
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}
