import type { History } from './history.ts'
import type { Violate } from './judge.ts'

/** How long a node that gets to run may take to notice, in ms. */
const NOTICES_WITHIN = 1_000

/** A run that goes on after its lease has ended is told so. */
export function judgeLoss({ runs, grants, lives }: History, violate: Violate): void {
  const ends = new Map(grants.map(({ life, job, token, until }) => [`${life} ${job} ${token}`, until]))
  for (const { life, job, token, tick, begunAt, endedAt, lostAt } of runs) {
    const until = Math.max(ends.get(`${life} ${job} ${token}`) ?? Number.POSITIVE_INFINITY, begunAt)
    if (endedAt === undefined || lostAt !== undefined || endedAt - until <= NOTICES_WITHIN) continue
    const stalled = lives.get(life)?.stalls.some((stall) => stall.until >= until && stall.from <= endedAt)
    if (!stalled) violate('lost is known', `${life} ran ${job} at ${tick} for ${endedAt - until} ms after its lease`)
  }
}
