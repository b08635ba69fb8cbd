import { expect, it } from 'vitest'
import type { Cli } from '../../../src/cli/cli.ts'
import { table } from '../../../src/cli/table.ts'

const cli = { colors: { bold: (text: string) => `\x1b[1m${text}\x1b[22m` } } as unknown as Cli

it('lines columns up by what they are wide on a terminal: colours are nothing, wide characters two', () => {
  const text = table(
    cli,
    ['A', 'B', 'C'],
    [
      ['\x1b[31mred\x1b[39m', '日本', ''],
      ['x', 'y', 'z'],
    ],
  )
  expect(text.split('\n')).toEqual([
    '\x1b[1mA\x1b[22m    \x1b[1mB\x1b[22m     \x1b[1mC\x1b[22m',
    '\x1b[31mred\x1b[39m  日本',
    'x    y     z',
  ])
})

it('keeps control characters of a store from the terminal', () => {
  const text = table(cli, ['A'], [['a\x1b[2Jb\rc\nd\x9be\x07']])
  expect(text.split('\n')[1]).toBe('a�[2Jb�c�d�e�')
})
