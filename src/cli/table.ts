import Table from 'cli-table3'
import type { Cli } from './cli.ts'

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Columns under their heads, without lines, as other tools of the command line have them. */
export function table(cli: Cli, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: heads.map((head) => cli.colors.bold(head)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  })
  made.push(...rows.map((row) => row.map(plain)))
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Names and texts come from files and stores: nothing in them may move the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for; colours stay
const plain = (text: string): string => text.replace(/\x1b(?!\[[\d;]*m)|[\0-\x1a\x1c-\x1f\x7f-\x9f]/g, '�')
