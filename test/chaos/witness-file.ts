import { fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Witnessed, WitnessLine } from './witness-line.ts'

/** Ms on the machine's monotonic clock: the same in all its processes, and not faked in any. */
export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6

/** Where lines are written. */
export interface Witness {
  write(witnessed: Witnessed, at?: number): void
}

/** Appends lines to the witness of one life; each is on the disk before the call returns. */
export class WitnessFile implements Witness {
  readonly #life: string
  readonly #file: number

  constructor(folder: string, life: string) {
    this.#life = life
    this.#file = openSync(join(folder, `${life}.jsonl`), 'a')
  }

  write(witnessed: Witnessed, at = machineTime()): void {
    const line: WitnessLine = { at, life: this.#life, ...witnessed }
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
    fsyncSync(this.#file)
  }
}

/** All lines of all lives, in order of time. A life may have been cut off in the middle of its last line; that one is left out. */
export function readWitness(folder: string): WitnessLine[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const lines = files.flatMap((name) => readLines(readFileSync(join(folder, name), 'utf8')))
  return lines.sort((a, b) => a.at - b.at)
}

function readLines(text: string): WitnessLine[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as WitnessLine)
}
