import { fitLives } from './fitness.ts'
import type { History } from './history.ts'
import type { Case, Violate } from './judge.ts'

/** By how much a node that knows the store's clock may be early, in ms: half of what its best answer took, on a busy machine. */
const SLACK = 1_000

/** A node that has been in touch with the store goes by its clock, however wrong its own is, and runs no tick before its time. */
export function judgePunctuality(history: History, { epoch, recovery }: Case, violate: Violate): void {
  for (const { life, job, tick, begunAt } of history.runs) {
    const early = tick - epoch - begunAt
    if (early <= SLACK || !fitLives(history, begunAt, begunAt, recovery).some((fit) => fit.life === life)) continue
    violate('on time', `${life} ran ${job} at ${tick} ${Math.round(early)} ms early`)
  }
}
