import { randomUUID } from 'node:crypto'
import type { LockRecord, ReleaseRequest } from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import { releaseOf } from './changes.ts'
import type { Records } from './records.ts'

/**
 * Decides releases for different names.
 *
 * MongoDB tells how many changes of a batch were made, not which. All of them is the usual answer. Otherwise the records tell: who
 * has released stands in the record until the next grant, and beside it, with this question's own mark, until the next release. What is missing
 * then was released here, granted anew and released once more before we could read it: its grant is as young as our question.
 */
export async function releaseEach(records: Records, requests: readonly ReleaseRequest[]): Promise<boolean[]> {
  const question = randomUUID()
  const mark = (request: ReleaseRequest): string => `${holderOf(request)} ${question}`
  const began = performance.now()
  const made = await records.changeAll(requests.map((request) => releaseOf(request, mark(request))))
  if (made === requests.length) return requests.map(() => true)
  const { records: after, releasers } = await records.read(requests.map(({ name }) => name))
  const took = performance.now() - began
  const here = requests.map((request) => releasers.get(request.name) === mark(request))
  const grantedSince = (request: ReleaseRequest): boolean => {
    const record = after.get(request.name)
    return record !== undefined && record.lockedBy !== holderOf(request) && isYoung(record, took)
  }
  const overwritten = made > count(here)
  return requests.map((request, index) => {
    const before = after.get(request.name)?.lockedBy === releasedHolderOf(request)
    return here[index] === true || before || (overwritten && grantedSince(request))
  })
}

const count = (answers: readonly boolean[]): number => answers.filter(Boolean).length

/** Granted since our question. */
const isYoung = ({ lockedAt, storeTime }: LockRecord, took: number): boolean => lockedAt >= storeTime - took - 1
