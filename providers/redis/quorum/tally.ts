/* What the votes of the servers for one acquisition come to. */
import type { AcquireRequest, Refused } from '../../../src/provider/contract.ts'
import { holderOf } from '../../../src/provider/holder.ts'
import { newest, type Seen } from './seen.ts'

/** One server's answer. */
export type Vote =
  | { readonly granted: true; readonly place: number; readonly seen: Seen; readonly rerun: boolean }
  | {
      readonly granted: false
      readonly reason: Refused['reason']
      /** Whether it rests on another's vote that nobody has confirmed yet. */
      readonly open: boolean
      readonly seen: Seen | undefined
      readonly storeTime: number
    }

export type Given = Extract<Vote, { granted: true }>
type Denied = Exclude<Vote, Given>

export type Tally =
  | { readonly outcome: 'won'; readonly votes: readonly Given[] }
  | { readonly outcome: 'refused'; readonly result: Refused }
  /** Nobody has a majority. `ahead`: of all who ask, this one has the most votes, and should keep them while the others give theirs back. */
  | { readonly outcome: 'split'; readonly ahead: boolean }
  /** Too few servers answered. */
  | { readonly outcome: 'failed' }

/**
 * @param votes of the servers that answered
 * @param quorum how many are a majority of all servers
 */
export function tally(request: AcquireRequest, votes: readonly Vote[], quorum: number): Tally {
  const given = votes.filter((vote) => vote.granted)
  if (given.length >= quorum) return { outcome: 'won', votes: given }
  if (votes.length < quorum) return { outcome: 'failed' }
  const denied = votes.filter((vote) => !vote.granted)
  const rivals = countRivals(denied)
  const refusal = settledRefusal(denied, quorum) ?? refusalByRival(denied, rivals, quorum)
  if (refusal) {
    const { reason, storeTime } = refusal
    const known = denied.flatMap(({ seen }) => seen ?? [])
    const record = newest(request.name, known, quorum)
    return {
      outcome: 'refused',
      result: { granted: false, reason, record, storeTime: record?.storeTime ?? storeTime },
    }
  }
  const own = holderOf(request)
  const ahead = [...rivals].every(([rival, count]) => count < given.length || (count === given.length && own < rival))
  return { outcome: 'split', ahead }
}

/**
 * One server that knows of a confirmed grant is enough for a refusal: its owner had a majority. That the tick lies too far ahead must be the
 * word of a majority, since any clock may be wrong.
 */
function settledRefusal(denied: readonly Denied[], quorum: number): Denied | undefined {
  const settled = denied.filter(({ open }) => !open)
  const early = settled.filter(({ reason }) => reason === 'clock-ahead')
  if (early.length >= quorum) return early[0]
  return settled.find(({ reason }) => reason === 'tick-taken') ?? settled.find(({ reason }) => reason === 'held')
}

/** Another has the votes of a majority, and is about to confirm them. */
function refusalByRival(denied: readonly Denied[], rivals: Rivals, quorum: number): Denied | undefined {
  return denied.find(({ seen, open }) => open && seen && (rivals.get(seen.record.lockedBy) ?? 0) >= quorum)
}

type Rivals = ReadonlyMap<string, number>

/** How many open votes each of the others has. */
function countRivals(denied: readonly Denied[]): Rivals {
  const rivals = new Map<string, number>()
  for (const { seen, open } of denied) {
    if (open && seen) rivals.set(seen.record.lockedBy, (rivals.get(seen.record.lockedBy) ?? 0) + 1)
  }
  return rivals
}
