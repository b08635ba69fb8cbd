/** So many ticks that are due at once are a large batch: to settle it takes a node and the store longer than the clocks of a cluster differ. */
const LARGE = 1_000
/** How long to wait for each tick of a large batch, in ms, and in all: several times what it takes to settle and begin it. */
const EACH = 0.15
const LONGEST = 1_250

/**
 * Spreads the asks of a fleet. All nodes ask for the same ticks in the same moment, and for thousands of them the node that gets them is
 * slowed down by all the others that don't. So a node that was refused most of its last large batch waits before it asks for the next: at least
 * half of the spread, by which the node that was granted it last has begun it all, and from then on at random, so that those that wait don't come
 * together. If that node is gone, the first of the others gets the ticks as much later.
 *
 * Decides nothing but when to ask.
 */
export class HeadStart {
  #wasRefused = false

  /** Tells what a batch came to. */
  learn(refused: number, all: number): void {
    if (all >= LARGE) this.#wasRefused = 2 * refused > all
  }

  /** For how long to leave a batch to others, in ms, when it may be asked for within the next `left` ms: at most a quarter of that. */
  waitFor(batch: number, left: number, random: () => number): number {
    if (!this.#wasRefused || batch < LARGE) return 0
    return Math.min(batch * EACH, LONGEST, left / 4) * (0.5 + random() / 2)
  }
}
