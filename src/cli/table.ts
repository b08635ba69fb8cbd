import width from 'string-width'
import type { Cli } from './cli.ts'

/** Columns under their heads, without lines, as other tools of the command line have them. */
export function table(cli: Cli, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads.map((head) => cli.colors.bold(head)), ...rows.map((row) => row.map(plain))]
  const widths = heads.map((_, column) => lines.reduce((most, line) => Math.max(most, width(line[column] ?? '')), 0))
  const padded = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) - width(cell))
  return lines.map((line) => line.map(padded).join('  ').trimEnd()).join('\n')
}

/** Names and other strings come from files and stores: nothing in them may move the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for; colours stay
export const plain = (text: string): string => text.replace(/\x1b(?!\[[\d;]*m)|[\0-\x1a\x1c-\x1f\x7f-\x9f]/g, '�')
