import { Queue } from './queue.ts'

interface Happening {
  readonly at: number
  readonly order: number
  act: (() => void) | undefined
}

/** Everything that happens, in order of true time. What one moment sets off in promises is done before the next moment comes. */
export class World {
  /** True time, in ms since the epoch: no clock in the world need show it. */
  now: number
  #order = 0
  readonly #queue = new Queue<Happening>()

  constructor(start: number) {
    this.now = start
  }

  /** Lets something happen after so many ms of true time. Answers what takes it back. */
  after(ms: number, act: () => void): () => void {
    const happening: Happening = { at: this.now + Math.max(0, ms), order: this.#order++, act }
    this.#queue.push(happening)
    return () => {
      happening.act = undefined
    }
  }

  /** Lets the world run until this true time. `check` is called after each moment; the run ends when it answers true. */
  async run(until: number, check: () => boolean): Promise<void> {
    for (let next = this.#queue.peek(); next && next.at <= until; next = this.#queue.peek()) {
      this.now = next.at
      let acted = false
      while (next && next.at === this.now) {
        this.#queue.pop()
        acted ||= next.act !== undefined
        next.act?.()
        next = this.#queue.peek()
      }
      if (!acted) continue
      await settled()
      if (check()) return
    }
    this.now = until
  }
}

/** All promise jobs and next ticks are done when this resolves, and what they have put off to after the timers. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
