import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Cli } from '../../../src/cli/cli.ts'
import { lineFormatter } from '../../../src/cli/log-format.ts'
import { printable } from '../../../src/cli/printable.ts'

/** What moves the cursor, changes the title, conceals, rings, or overwrites a line. */
const ATTACKS = [
  '\x1b[2J',
  '\x1b]0;title\x07',
  '\x1b[8mhidden',
  '\x1b[1;31m',
  '\x1bc',
  '\x1bP+q\x1b\\',
  '\u009b2J',
  '\u009d0;title\u009c',
  'line\roverwritten',
  '\x08\x7f\0',
]

const isControl = (sign: string): boolean => sign < ' ' || (sign >= '\x7f' && sign <= '\x9f')

/** A command line whose output is collected, with colours or without. */
function collecting(colours: boolean) {
  let text = ''
  const stdout = Object.assign(
    new Writable({
      write(chunk, _, done) {
        text += String(chunk)
        done()
      },
    }),
    { isTTY: colours },
  )
  const cli = new Cli({ stdin: process.stdin, stdout, stderr: stdout } as never, { TERM: 'xterm' }, '/')
  return { cli, text: () => text }
}

describe('what a command prints', () => {
  it.each([false, true])('has nothing in it that a terminal obeys but its own colours, with colours: %s', (colours) => {
    const { cli, text } = collecting(colours)
    for (const attack of ATTACKS) {
      cli.print(attack)
      cli.tell(attack)
      cli.printJson({ attack })
    }
    expect([...text()].filter((sign) => isControl(sign) && sign !== '\n')).toEqual([])
  })

  it('keeps colours, tabs and line feeds in a terminal', () => {
    const { cli, text } = collecting(true)
    cli.print(`${cli.colors.red('a')}\tb\nc`)
    expect(text()).toBe('\x1b[31ma\x1b[39m\tb\nc\n')
    expect(printable('\x1b[31ma', false)).toBe('�[31ma')
  })

  it('of a command that left a colour on ends with it off', () => {
    const { cli, text } = collecting(true)
    const line = JSON.stringify({ level: 30, time: 0, msg: '\x1b[31mred', job: 'a', stream: 'stdout' })
    cli.write(lineFormatter(cli.colors)(line))
    expect(text().endsWith('red\x1b[0m\n')).toBe(true)
  })
})
