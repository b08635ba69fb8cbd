import type { Result } from './result.ts'

/** A table in Markdown, its columns as wide as what they hold. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n')
}

/** The results as people read them. */
export const resultsTable = (results: readonly Result[]): string =>
  markdownTable(
    ['what', 'on', 'measured', 'aim', ''],
    results.map(({ name, provider, value, unit, aim, ok }) => [
      name,
      provider,
      `${value.toLocaleString('en', { maximumSignificantDigits: 4 })} ${unit}`.trim(),
      aim ?? '',
      aim === null ? '' : ok ? 'yes' : 'NO',
    ]),
  )
