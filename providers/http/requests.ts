/* The requests as they are sent: what the contract names and nothing else, since the server refuses unknown fields. */
import type { AcquireRequest, ExtendRequest, ReleaseRequest } from '../../src/provider/contract.ts'

export const toAcquire = ({
  name,
  owner,
  label,
  lockAtMostFor,
  tick,
  onCrash,
  maxClockSkew,
  metadata,
}: AcquireRequest): AcquireRequest => ({ name, owner, label, lockAtMostFor, tick, onCrash, maxClockSkew, metadata })

export const toExtend = ({
  name,
  owner,
  label,
  lockAtMostFor,
  lockAtLeastFor,
  mayShortenUntil,
}: ExtendRequest): ExtendRequest => ({ name, owner, label, lockAtMostFor, lockAtLeastFor, mayShortenUntil })

export const toRelease = ({ name, owner, label, lockAtLeastFor, tick }: ReleaseRequest): ReleaseRequest => ({
  name,
  owner,
  label,
  lockAtLeastFor,
  tick,
})
