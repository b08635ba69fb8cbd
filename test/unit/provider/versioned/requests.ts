import type { AcquireRequest, LockProvider, ReleaseRequest, Settled } from '../../../../src/provider/index.ts'

export const acquireOf = (name: string, owner: string, more: Partial<AcquireRequest> = {}): AcquireRequest => ({
  name,
  owner,
  label: 'a-node:1',
  lockAtMostFor: 60_000,
  maxClockSkew: 60_000,
  ...more,
})

export const releaseOf = (name: string, owner: string, more: Partial<ReleaseRequest> = {}): ReleaseRequest => ({
  name,
  owner,
  label: 'a-node:1',
  lockAtLeastFor: 0,
  ...more,
})

/** The result of a single request. */
export function only<Result>(results: readonly Settled<Result>[]): Settled<Result> {
  if (results.length !== 1) throw new Error(`expected one result, not ${results.length}`)
  return results[0] as Settled<Result>
}

export const acquire = async (provider: LockProvider, ...of: Parameters<typeof acquireOf>) =>
  only(await provider.acquire([acquireOf(...of)]))

export const release = async (provider: LockProvider, ...of: Parameters<typeof releaseOf>) =>
  only(await provider.release([releaseOf(...of)]))
