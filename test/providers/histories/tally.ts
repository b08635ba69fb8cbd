import type { LockRecord } from '../../../src/provider/contract.ts'
import type { Changing, ObservedRequest, Outcome } from './observed-request.ts'

/** What histories must have been about, each many times. */
export const EXPECTED: readonly string[] = [
  'acquire granted',
  'acquire granted before',
  'acquire held',
  'acquire tick-taken',
  'acquire clock-ahead',
  'acquire took a lapsed tick over',
  'extend longer',
  'extend shorter',
  'extend refused',
  'release freed',
  'release kept taken',
  'release refused',
  'forceRelease freed',
  'forceRelease refused',
  'prune kept',
  'prune dropped',
]

/** Counts what histories were about, so that none passes that met nothing. */
export class Tally {
  calls = 0
  /** Requests: a batch has many. */
  operations = 0
  readonly outcomes = new Map<string, number>()

  count(call: Changing, deeds: readonly ObservedRequest[], outcome: Outcome): void {
    this.calls++
    this.operations += 'requests' in call ? call.requests.length : 1
    for (const deed of deeds) {
      const kind = `${call.verb} ${kindOf(deed, outcome.before.get(deed.name), outcome)}`
      this.outcomes.set(kind, (this.outcomes.get(kind) ?? 0) + 1)
    }
  }

  countRead(): void {
    this.calls++
    this.operations++
  }
}

/** Roughly: a batch that names a lock more than once is told by what was before all of it. */
function kindOf(
  { verb, name, answer }: ObservedRequest,
  was: LockRecord | undefined,
  { records, span }: Outcome,
): string {
  const now = records.get(name)
  const {
    reason,
    fencingToken,
    lockUntil = 0,
  } = (answer ?? {}) as { reason?: string; fencingToken?: number; lockUntil?: number }
  switch (verb) {
    case 'acquire':
      if (reason) return reason
      if (fencingToken === was?.fencingToken) return 'granted before'
      return was?.lastTick !== undefined && was.lastTick === now?.lastTick && !was.tickDone
        ? 'took a lapsed tick over'
        : 'granted'
    case 'extend':
      if (!answer) return 'refused'
      return lockUntil / 1_000 < (was?.lockUntil ?? 0) ? 'shorter' : 'longer'
    case 'release':
      if (!answer) return 'refused'
      return now && now.lockUntil > span.until ? 'kept taken' : 'freed'
    case 'forceRelease':
      return answer ? 'freed' : 'refused'
    case 'prune':
      return was && !now ? 'dropped' : 'kept'
  }
}
