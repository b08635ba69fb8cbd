import type { LockRecord, ReleaseRequest } from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { releaseOf } from './changes.ts'
import type { Records } from './records.ts'

/**
 * Decides releases for different names.
 *
 * MongoDB tells how many changes of a batch were made, not which. All of them is the usual answer. Otherwise the records tell: who
 * has released stands in the record until the next grant, and beside it until the next release. What was released and granted anew before we
 * could read it is told by both: its grant is as young as our question. What is missing then was by that time released once more.
 */
export async function releaseEach(records: Records, requests: readonly ReleaseRequest[]): Promise<boolean[]> {
  const began = performance.now()
  const made = await records.changeAll(requests.map(releaseOf))
  if (made === requests.length) return requests.map(() => true)
  const { records: after, releasers } = await records.read(requests.map(({ name }) => name))
  const took = performance.now() - began
  const grantedSince = (request: ReleaseRequest): boolean => {
    const record = after.get(request.name)
    return record !== undefined && record.lockedBy !== holderOf(request) && isYoung(record, took)
  }
  const marked = requests.map((request) => after.get(request.name)?.lockedBy === releasedHolderOf(request))
  if (made <= count(marked)) return marked
  const retaken = requests.map((request) => releasers.get(request.name) === holderOf(request) && grantedSince(request))
  const released = requests.map((_, index) => marked[index] === true || retaken[index] === true)
  if (made <= count(released)) return released
  return requests.map((request, index) => released[index] === true || grantedSince(request))
}

const count = (answers: readonly boolean[]): number => answers.filter(Boolean).length

/** Granted since our question. */
const isYoung = ({ lockedAt, storeTime }: LockRecord, took: number): boolean => lockedAt >= storeTime - took - 1
