import type { AcquireRequest, AcquireResult, ExtendRequest, LockProvider, ReleaseRequest } from 'ticklock'
import { isRecordBusy, type Settled } from 'ticklock/provider'
import { machineTime, type Witness } from '../witness-file.ts'
import type { Answered } from '../witness-line.ts'

let calls = 0

/** The provider, with everything written down that is asked and answered about ticks. */
export function witnessed(provider: LockProvider, witness: Witness): LockProvider {
  return {
    acquire: async (requests) => {
      const asks = requests.flatMap(tickAsked)
      if (asks.length === 0) return await provider.acquire(requests)
      const call = ++calls
      const sentAt = machineTime()
      witness.write({ what: 'asked', call, asks }, sentAt)
      try {
        const results = await provider.acquire(requests)
        const answers = requests.flatMap((request, index) => answered(request, results[index], sentAt))
        witness.write({ what: 'answered', call, answers })
        return results
      } catch (error) {
        witness.write({ what: 'failed', call, error: String(error).slice(0, 200) })
        throw error
      }
    },
    extend: async (requests) => {
      const sentAt = machineTime()
      const leases = await provider.extend(requests)
      for (const [index, lease] of leases.entries()) {
        const { name: job, owner } = requests[index] as ExtendRequest
        if (!lease || lease instanceof Error) continue
        const { fencingToken: token, lockUntil, storeTime } = lease
        witness.write({ what: 'extended', job, owner, token, until: sentAt + lockUntil - storeTime })
      }
      return leases
    },
    release: async (requests) => {
      for (const { name: job, owner, tick } of requests) {
        witness.write({ what: 'releasing', job, owner, ...(tick !== undefined && { tick }) })
      }
      const freed = await provider.release(requests)
      for (const [index, each] of freed.entries()) {
        const { name: job, owner } = requests[index] as ReleaseRequest
        witness.write({ what: 'released', job, owner, freed: each === true })
      }
      return freed
    },
    read: (names) => provider.read(names),
    reset: (request) => provider.reset(request),
    forceRelease: (name) => provider.forceRelease(name),
    prune: (olderThanMs) => provider.prune(olderThanMs),
    ...(provider.setup && { setup: () => provider.setup?.() ?? Promise.resolve() }),
    close: () => provider.close(),
  }
}

/** What only reads the store's clock asks for a tick that no clock has reached, and is left out. */
const FAR = Date.UTC(8000, 0)

function tickAsked({ name: job, owner, tick }: AcquireRequest): { job: string; owner: string; tick: number }[] {
  return tick === undefined || tick > FAR ? [] : [{ job, owner, tick }]
}

function answered(request: AcquireRequest, result: Settled<AcquireResult> | undefined, sentAt: number): Answered[] {
  return tickAsked(request).map((ask) => {
    if (result instanceof Error) return { ...ask, failed: isRecordBusy(result) ? 'undecided' : 'unknown' }
    if (!result?.granted) return { ...ask, reason: result?.reason ?? 'no answer' }
    const { fencingToken: token, lockUntil, storeTime } = result.lease
    return { ...ask, token, until: sentAt + Math.min(request.lockAtMostFor, lockUntil - storeTime) }
  })
}
