import { leaseOf } from '../../src/provider/answers.ts'
import type { ExtendRequest, Lease, LockRecord } from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { extensionOf } from './changes.ts'
import type { Records } from './records.ts'

/** Decides extensions for different names. */
export async function extendEach(records: Records, requests: readonly ExtendRequest[]): Promise<(Lease | undefined)[]> {
  const began = performance.now()
  const after = await extended(records, requests)
  const took = performance.now() - began
  // Who has an unexpired lease now had it when the extensions were made, so it was extended.
  return requests.map((request) => {
    const record = after.get(request.name)
    if (!record || !isHeld(record, request)) return undefined
    return leaseOf(record, request.owner, extendedAt(record, request, took))
  })
}

/** Makes the extensions; answers with records as they are after that. */
async function extended(
  records: Records,
  requests: readonly ExtendRequest[],
): Promise<ReadonlyMap<string, LockRecord>> {
  const [first] = requests
  if (first && requests.length === 1) {
    const record = await records.change(extensionOf(first))
    return new Map(record && [[record.name, record]])
  }
  await records.changeAll(requests.map(extensionOf))
  return (await records.read(requests.map(({ name }) => name))).records
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
