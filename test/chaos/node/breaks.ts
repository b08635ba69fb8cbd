import type { AcquireRequest, AcquireResult, LockProvider } from 'ticklock'
import { isUnreadable, type Settled } from 'ticklock/provider'

/** A way to break a provider on purpose, to see that the checker sees it. */
export type BreakName = 'none' | 'no-tick-check' | 'double-grant' | 'lease-ignored' | 'fencing-back' | 'deaf'

type Wrap = (provider: LockProvider) => LockProvider

const acquiring =
  (
    acquire: (
      provider: LockProvider,
      requests: readonly AcquireRequest[],
    ) => Promise<readonly Settled<AcquireResult>[]>,
  ): Wrap =>
  (provider) => ({ ...provider, acquire: (requests) => acquire(provider, requests) })

export const breaks: Readonly<Record<BreakName, Wrap>> = {
  none: (provider) => provider,
  /** The store is not told of the tick. */
  'no-tick-check': acquiring((provider, requests) =>
    provider.acquire(requests.map((request) => (isFar(request) ? request : { ...request, tick: undefined }))),
  ),
  /** A refusal because the lock is held is taken for a grant. */
  'double-grant': acquiring(async (provider, requests) => {
    const results = await provider.acquire(requests)
    return results.map((result, index) => {
      const request = requests[index] as AcquireRequest
      if (result instanceof Error || result.granted || result.reason !== 'held') return result
      return { granted: true, lease: invented(request, result.storeTime, result.record?.fencingToken ?? 0) }
    })
  }),
  /** A lock that is held is taken away from its holder. */
  'lease-ignored': acquiring(async (provider, requests) => {
    for (const { name, tick } of requests) {
      const [record] = await provider.read([name])
      if (
        record &&
        !isUnreadable(record) &&
        tick !== undefined &&
        record.lastTick !== undefined &&
        record.lastTick < tick
      )
        await provider.forceRelease(name)
    }
    return await provider.acquire(requests)
  }),
  /** Tokens get smaller with time. */
  'fencing-back': acquiring(async (provider, requests) => {
    const results = await provider.acquire(requests)
    return results.map((result) => {
      if (result instanceof Error || !result.granted) return result
      return { ...result, lease: { ...result.lease, fencingToken: 4e15 - result.lease.fencingToken } }
    })
  }),
  /** Every seventh second of ticks is refused, whoever asks. */
  deaf: acquiring(async (provider, requests) => {
    const asked = requests.map((request) => (isUnlucky(request) ? { ...request, maxClockSkew: -1e15 } : request))
    const results = await provider.acquire(asked)
    return results.map((result, index) =>
      !(result instanceof Error) && isUnlucky(requests[index] as AcquireRequest)
        ? { ...result, granted: false, reason: 'tick-taken', storeTime: timeOf(result) }
        : result,
    )
  }),
}

const timeOf = (result: AcquireResult): number => (result.granted ? result.lease.storeTime : result.storeTime)

const isFar = ({ tick }: AcquireRequest): boolean => tick !== undefined && tick > Date.UTC(8000, 0)

const isUnlucky = (request: AcquireRequest): boolean =>
  !isFar(request) && Math.floor((request.tick ?? 0) / 1_000) % 7 === 0

function invented({ name, owner, lockAtMostFor }: AcquireRequest, storeTime: number, token: number) {
  return {
    name,
    owner,
    fencingToken: token + 1,
    acquiredAt: storeTime,
    lockUntil: storeTime + lockAtMostFor,
    storeTime,
  }
}
