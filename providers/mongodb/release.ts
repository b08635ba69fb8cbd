import type { ReleaseRequest } from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { releaseOf } from './changes.ts'
import type { Records } from './records.ts'

/**
 * Decides releases for different names.
 *
 * MongoDB tells how many changes of a batch were made, not which. All of them is the usual answer. Otherwise the records tell: who
 * has released stands in the record until the next grant. What is missing then was released and granted anew before we could read it,
 * so its grant is as young as our question.
 */
export async function releaseEach(records: Records, requests: readonly ReleaseRequest[]): Promise<boolean[]> {
  const began = performance.now()
  const made = await records.changeAll(requests.map(releaseOf))
  if (made === requests.length) return requests.map(() => true)
  const { records: after } = await records.read(requests.map(({ name }) => name))
  const took = performance.now() - began
  const released = requests.map((request) => after.get(request.name)?.lockedBy === releasedHolderOf(request))
  if (made <= released.filter(Boolean).length) return released
  return requests.map((request, index) => {
    const record = after.get(request.name)
    const grantedSince =
      record && record.lockedBy !== holderOf(request) && record.lockedAt >= record.storeTime - took - 1
    return released[index] === true || grantedSince === true
  })
}
