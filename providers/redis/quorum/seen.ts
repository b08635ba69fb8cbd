/* What several servers, each with a clock of its own, say about one name, and what it comes to. */
import type { Lease, LockRecord } from '../../../src/provider/contract.ts'
import { isOpenVote, recordIn } from '../format.ts'
import type { ScriptReply } from '../script-runner.ts'

/** One server's record of a name. */
export interface Seen {
  /** Its times are by the clock that the servers have in common. */
  readonly record: LockRecord
  /** What is left of the lease, in ms, by the server's own clock; not above 0 when it is free. */
  readonly left: number
  /** Whether this is a vote, which no majority has confirmed as far as this server knows. */
  readonly open: boolean
}

/** @param ahead how far the server's clock is ahead of the common one, in ms */
export function seenAs(name: string, text: string, storeTime: number, ahead: number): Seen {
  const record = recordIn(name, text, storeTime)
  const { lockedAt, lockUntil } = record
  const common = { lockedAt: lockedAt - ahead, lockUntil: lockUntil - ahead, storeTime: storeTime - ahead }
  return {
    record: { ...record, ...common },
    left: lockUntil - storeTime,
    open: isOpenVote(text),
  }
}

/**
 * How far each server's clock is ahead of the middle one, in ms. Clocks that lie no further apart than the asking took can't be told
 * apart, and count as the same.
 */
export function clocksAhead(answers: readonly (readonly ScriptReply[] | undefined)[], took: number): number[] {
  const times = answers.map((of) => of?.[0]?.storeTime)
  const known = times.filter((time) => time !== undefined).sort((a, b) => a - b)
  const middle = known[Math.floor(known.length / 2)] ?? 0
  return times.map((time) => (time === undefined || Math.abs(time - middle) <= took ? 0 : time - middle))
}

/**
 * The lease that a majority holds: it ends when the first of so many do that no majority is left.
 *
 * `storeTime` is reckoned back from what is left, which each server measured on its own clock, so that clocks that differ neither
 * lengthen nor shorten the lease.
 */
export function leaseOf(
  name: string,
  owner: string,
  held: readonly Seen[],
  quorum: number,
): Omit<Lease, 'fencingToken'> {
  const lockUntil = agreed(held, quorum, ({ record }) => record.lockUntil)
  return {
    name,
    owner,
    acquiredAt: agreed(held, quorum, ({ record }) => record.lockedAt),
    lockUntil,
    storeTime: lockUntil - agreed(held, quorum, ({ left }) => left),
  }
}

/** The newest record: of the last grant that some server knows to be confirmed, with the newest tick that any of them remembers. */
export function newest(name: string, seen: readonly Seen[], quorum: number): LockRecord | undefined {
  const settled = seen.filter(({ open }) => !open)
  const [last] = (settled.length > 0 ? settled : [...seen]).sort(
    (a, b) => b.record.fencingToken - a.record.fencingToken,
  )
  if (!last) return undefined
  const { fencingToken } = last.record
  const same = seen.filter(({ record }) => record.fencingToken === fencingToken)
  const lastTick = Math.max(...seen.map(({ record }) => record.lastTick ?? -Infinity))
  const { owner: _, acquiredAt: lockedAt, ...lease } = leaseOf(name, '', same, quorum)
  return {
    ...last.record,
    ...lease,
    lockedAt,
    lockedBy: mostFrequent(same.map(({ record }) => record.lockedBy)),
    lastTick: lastTick === -Infinity ? undefined : lastTick,
    tickDone: seen.some(({ record }) => record.lastTick === lastTick && record.tickDone),
  }
}

/** What at least a majority reaches; of fewer, the least. */
function agreed(seen: readonly Seen[], quorum: number, timeOf: (one: Seen) => number): number {
  const values = seen.map(timeOf).sort((a, b) => b - a)
  return values[Math.min(quorum, values.length) - 1] ?? 0
}

function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const [first] = [...counts].sort(([a, of], [b, ofB]) => ofB - of || b.length - a.length)
  return first?.[0] ?? ''
}
