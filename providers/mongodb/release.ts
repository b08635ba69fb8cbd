import { randomUUID } from 'node:crypto'
import type { LockRecord, ReleaseRequest, Settled } from '../../src/provider/contract.ts'
import { decideRelease } from '../../src/provider/decide.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import type { CallTime } from './call-time.ts'
import type { Records } from './records.ts'
import { lateReleaseOf, releaseOf } from './updates.ts'

/** How often a release is decided while others change its record. */
const ATTEMPTS = 3

/**
 * Decides releases for different names.
 *
 * MongoDB tells how many changes of a batch were made, not which. All of them is the usual result. Otherwise the records tell: who
 * has released stands in the record until the next grant, and beside it, with this call's own mark, until the next release. What is missing
 * then was released here, granted anew and released once more before we could read it: its grant is as young as our call.
 */
export async function releaseEach(
  records: Records,
  call: CallTime,
  requests: readonly ReleaseRequest[],
  attempts = ATTEMPTS,
): Promise<Settled<boolean>[]> {
  const id = randomUUID()
  const mark = (request: ReleaseRequest): string => `${holderOf(request)} ${id}`
  const began = performance.now()
  const { made, failed } = await records.changeAll(
    call,
    requests.map((request) => releaseOf(request, mark(request))),
  )
  if (made === requests.length) return requests.map(() => true)
  const after = await records.read(
    call,
    requests.map(({ name }) => name),
  )
  const took = performance.now() - began
  const here = requests.map((request) => after.rows.get(request.name)?.releasedBy === mark(request))
  const grantedSince = (request: ReleaseRequest): boolean => {
    const record = after.records.get(request.name)
    return record !== undefined && record.lockedBy !== holderOf(request) && isYoung(record, took)
  }
  const overwritten = made > count(here)
  const results = requests.map((request, index): Settled<boolean> => {
    if (here[index] === true) return true
    const failure = after.unreadable.get(request.name) ?? failed.get(request.name)
    if (failure) return failure
    const before = after.records.get(request.name)?.lockedBy === releasedHolderOf(request)
    return before || (overwritten && grantedSince(request))
  })
  const open = requests.filter(
    (request, index) => here[index] !== true && isLateRelease(request, after.records.get(request.name)),
  )
  if (open.length === 0) return results
  const { made: marked, failed: unmarked } = await records.changeAll(
    call,
    open.map((request) => lateReleaseOf(request, request.tick as number)),
  )
  const retried = new Map<string, Settled<boolean>>()
  // Meanwhile a late duplicate of the acquisition may have been granted the same tick. The retry releases that lease.
  if (marked + unmarked.size < open.length && attempts > 1) {
    const settled = await releaseEach(records, call, open, attempts - 1)
    for (const [index, { name }] of open.entries()) retried.set(name, settled[index] as Settled<boolean>)
  }
  return requests.map(
    ({ name }, index) => unmarked.get(name) ?? retried.get(name) ?? (results[index] as Settled<boolean>),
  )
}

/** Whether the tick of a lease that is over is to be marked as done, where nobody took the lock over. */
function isLateRelease(request: ReleaseRequest, record: LockRecord | undefined): boolean {
  if (!record || request.tick === undefined) return false
  const isOver = record.lockedBy === releasedHolderOf(request) || record.lockUntil <= record.storeTime
  return isOver && decideRelease(record, request, record.storeTime).next !== undefined
}

const count = (answers: readonly boolean[]): number => answers.filter(Boolean).length

/** Granted since our call began. */
const isYoung = ({ lockedAt, storeTime }: LockRecord, took: number): boolean => lockedAt >= storeTime - took - 1
