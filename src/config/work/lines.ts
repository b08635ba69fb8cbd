import { StringDecoder } from 'node:string_decoder'

/** A line that is longer is told in parts: a program that never ends a line must not fill the memory. In UTF-16 units. */
export const LONGEST_LINE = 16_384

/** Cuts what a process writes into lines, whatever the pieces in which it comes. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  write(piece: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#tell(line)
    while (this.#rest.length > LONGEST_LINE) {
      this.#onLine(this.#rest.slice(0, LONGEST_LINE))
      this.#rest = this.#rest.slice(LONGEST_LINE)
    }
  }

  /** The last line need not have an end. */
  end(): void {
    this.#rest += this.#decoder.end()
    if (this.#rest !== '') this.#tell(this.#rest)
    this.#rest = ''
  }

  #tell(line: string): void {
    const whole = line.endsWith('\r') ? line.slice(0, -1) : line
    for (let from = 0; from === 0 || from < whole.length; from += LONGEST_LINE) {
      this.#onLine(whole.slice(from, from + LONGEST_LINE))
    }
  }
}
