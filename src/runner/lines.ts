import { StringDecoder } from 'node:string_decoder'

/** A line that is longer is logged in parts: a program that never ends a line must not fill the memory. In UTF-16 units. */
export const LONGEST_LINE = 16_384

const NEWLINE = 0x0a

/** Cuts what a process writes into lines, whatever the chunks in which it comes. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  /** The lines that end with this chunk. */
  write(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    const parts = lines.flatMap(cut)
    while (this.#rest.length > LONGEST_LINE) {
      parts.push(this.#rest.slice(0, LONGEST_LINE))
      this.#rest = this.#rest.slice(LONGEST_LINE)
    }
    return parts
  }

  /** Passes over a chunk, far cheaper than {@link write}; returns how many lines it ends. What comes next begins after the last of them. */
  skip(chunk: Buffer): number {
    this.#rest = ''
    this.#decoder.end()
    const last = chunk.lastIndexOf(NEWLINE)
    if (last >= 0) this.#rest = this.#decoder.write(chunk.subarray(last + 1)).slice(0, LONGEST_LINE)
    let count = 0
    for (let at = 0; at <= last; at++) if (chunk[at] === NEWLINE) count++
    return count
  }

  /** The last line, which need not have an end. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    return rest === '' ? [] : cut(rest)
  }
}

function cut(line: string): string[] {
  const whole = line.endsWith('\r') ? line.slice(0, -1) : line
  if (whole.length <= LONGEST_LINE) return [whole]
  const parts: string[] = []
  for (let from = 0; from < whole.length; from += LONGEST_LINE) parts.push(whole.slice(from, from + LONGEST_LINE))
  return parts
}
