import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Cli } from '../../../src/cli/cli.ts'
import { createLog } from '../../../src/cli/log.ts'

/** An output that takes nothing until `read` is called. */
class Pipe extends Writable {
  readonly lines: { readonly msg: string }[] = []
  #taken: (() => void)[] = []
  #isRead = false

  override _write(chunk: Buffer, _: BufferEncoding, taken: () => void): void {
    this.lines.push(JSON.parse(String(chunk)))
    if (this.#isRead) taken()
    else this.#taken.push(taken)
  }

  read(): void {
    this.#isRead = true
    for (const taken of this.#taken.splice(0)) taken()
  }
}

describe('a log that nobody reads for a while', () => {
  it('keeps 16 MiB of lines, and says how many it dropped', async () => {
    const stdout = new Pipe()
    const cli = new Cli({ stdin: Readable.from([]), stdout, stderr: new Pipe() }, {}, '/')
    const logger = createLog(cli, { logLevel: 'info', logFormat: 'json' })
    const long = 'x'.repeat(2 ** 20)
    for (let count = 0; count < 40; count++) logger.info(long)
    expect(stdout.writableLength).toBeGreaterThan(16 * 2 ** 20)
    expect(stdout.writableLength).toBeLessThan(18 * 2 ** 20)
    const drained = new Promise((resolve) => stdout.once('drain', resolve))
    stdout.read()
    await drained
    logger.info('read again')
    const kept = stdout.lines.filter(({ msg }) => msg === long).length
    expect(stdout.lines.slice(kept).map(({ msg }) => msg)).toEqual([
      `dropped ${40 - kept} lines of the log: nobody read them`,
      'read again',
    ])
  })
})
