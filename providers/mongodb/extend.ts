import { StoreError } from '../../src/errors.ts'
import type { ExtendRequest, Lease, LockRecord, Settled } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { leaseOf } from '../../src/provider/resolve.ts'
import type { CallTime } from './call-time.ts'
import type { Changed, Records } from './records.ts'
import { extensionOf } from './updates.ts'

/** Decides extensions for different names. */
export async function extendEach(
  records: Records,
  call: CallTime,
  requests: readonly ExtendRequest[],
): Promise<Settled<Lease | undefined>[]> {
  const began = performance.now()
  const alone = requests.length === 1 ? await extendOne(records, call, requests[0] as ExtendRequest) : undefined
  if (alone) return [alone]
  const { failed }: Pick<Changed, 'failed'> =
    requests.length === 1 ? { failed: new Map() } : await records.changeAll(call, requests.map(extensionOf))
  const after = await records.read(
    call,
    requests.map(({ name }) => name),
  )
  const took = performance.now() - began
  return requests.map((request) => {
    const failure = after.unreadable.get(request.name) ?? failed.get(request.name)
    if (failure) return failure
    // Who has an unexpired lease now had it when the extensions were made, so it was extended.
    const record = after.records.get(request.name)
    if (requests.length === 1 || !record || !isHeld(record, request)) return undefined
    return leaseOf(record, request.owner, extendedAt(record, request, took))
  })
}

/** The result of an extension, or `undefined` when it was not made: then the record says why. */
async function extendOne(
  records: Records,
  call: CallTime,
  request: ExtendRequest,
): Promise<Settled<Lease> | undefined> {
  try {
    const changed = await records.change(call, extensionOf(request))
    return changed && leaseOf(changed.record, request.owner, changed.record.storeTime)
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}

/**
 * When the lease was extended, so that reading it afterwards doesn't cost a part of it; or the time of that reading, if by its end it wasn't
 * extended between our question and that reading, but by another request of the same owner.
 */
function extendedAt({ lockUntil, storeTime }: LockRecord, { lockAtMostFor }: ExtendRequest, took: number): number {
  const at = lockUntil - lockAtMostFor
  return at >= storeTime - took && at <= storeTime ? at : storeTime
}

const isHeld = (record: LockRecord, request: ExtendRequest): boolean =>
  record.lockedBy === holderOf(request) && record.lockUntil > record.storeTime
