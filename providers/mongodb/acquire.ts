import { StoreError } from '../../src/errors.ts'
import type { AcquireRequest, AcquireResult, LockRecord, Settled } from '../../src/provider/contract.ts'
import { decideAcquire } from '../../src/provider/decide.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { leaseOf } from '../../src/provider/resolve.ts'
import type { CallTime } from './call-time.ts'
import type { Reading } from './documents.ts'
import type { Records } from './records.ts'
import { type Change, grantOf } from './updates.ts'

/**
 * How often a lock that was read as free is requested, when each time somebody else took it and gave it back between
 * our write and our next reading.
 */
const MOST_ROUNDS = 5

interface Round {
  readonly reading: Reading
  /** Why the others could not be decided, by name. */
  readonly failed: ReadonlyMap<string, Error>
}

/**
 * Decides requests for different names. Most requests in a cluster are refused, and a refusal must write nothing: so the records are read
 * first, and only what that reading doesn't refuse is written. The write decides anew, by the server's clock.
 */
export async function acquireEach(
  records: Records,
  call: CallTime,
  requests: readonly AcquireRequest[],
): Promise<Settled<AcquireResult>[]> {
  const results = new Map<AcquireRequest, Settled<AcquireResult>>()
  let reading = await readFor(records, call, requests)
  let open = settle(requests, results, (request) => decided(request, reading))
  for (let round = 1; open.length > 0 && round <= MOST_ROUNDS; round++) {
    const before = reading
    const after = await grantEach(records, call, open, before)
    reading = after.reading
    open = settle(
      open,
      results,
      (request) =>
        newlyGranted(request, before, reading) ?? decided(request, reading) ?? after.failed.get(request.name),
    )
  }
  for (const request of open) results.set(request, beaten(request, reading))
  return requests.map((request) => results.get(request) as Settled<AcquireResult>)
}

/** Lets the server grant what is free, and reads the records after that. */
async function grantEach(
  records: Records,
  call: CallTime,
  requests: readonly AcquireRequest[],
  before: Reading,
): Promise<Round> {
  const missing = requests.filter(({ name }) => !before.records.has(name)).map(({ name }) => name)
  const [first] = requests
  const names = requests.map(({ name }) => name)
  const grant = (request: AcquireRequest): Change =>
    grantOf(request, before.records.get(request.name)?.fencingToken ?? 0)
  if (!first || requests.length > 1 || missing.length > 0) {
    const { failed } = await records.changeAll(call, requests.map(grant), missing)
    return { failed, reading: await records.read(call, names) }
  }
  try {
    const changed = await records.change(call, grant(first))
    if (!changed) return { failed: new Map(), reading: await records.read(call, names) }
    const { record, row } = changed
    const reading = {
      records: new Map([[record.name, record]]),
      unreadable: new Map(),
      rows: new Map([[record.name, row]]),
      storeTime: record.storeTime,
    }
    return { failed: new Map(), reading }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { failed: new Map([[first.name, error]]), reading: await records.read(call, names) }
  }
}

/** What is known before the first write. The clock of the server comes with each record; it is read apart where only a tick needs it. */
async function readFor(records: Records, call: CallTime, requests: readonly AcquireRequest[]): Promise<Reading> {
  const reading = await records.read(
    call,
    requests.map(({ name }) => name),
  )
  if (reading.storeTime !== undefined || requests.every(({ tick }) => tick === undefined)) return reading
  return { ...reading, storeTime: await records.clock(call) }
}

/** Notes the results that are known; returns the requests that are still open. */
function settle(
  requests: readonly AcquireRequest[],
  results: Map<AcquireRequest, Settled<AcquireResult>>,
  resultOf: (request: AcquireRequest) => Settled<AcquireResult> | undefined,
): readonly AcquireRequest[] {
  return requests.filter((request) => {
    const result = resultOf(request)
    if (result) results.set(request, result)
    return !result
  })
}

/** The result that a reading alone gives: a refusal, the grant that this owner has already, or why the record can't be read. */
function decided(request: AcquireRequest, reading: Reading): Settled<AcquireResult> | undefined {
  const { name } = request
  const problem = reading.unreadable.get(name)
  if (problem) return problem
  const record = reading.records.get(name)
  // Without a clock no tick is refused here: the write does it, by the server's.
  const now = record?.storeTime ?? reading.storeTime ?? Number.POSITIVE_INFINITY
  const decision = decideAcquire(record, request, now)
  if (decision.outcome === 'refuse') return { granted: false, reason: decision.reason, record, storeTime: now }
  return decision.outcome === 'granted-before' && record ? granted(request, record) : undefined
}

/** The grant made between two readings, also if it has expired since: by its token it is told from one that this owner had before. */
function newlyGranted(request: AcquireRequest, before: Reading, after: Reading): AcquireResult | undefined {
  const record = after.records.get(request.name)
  if (!record || record.lockedBy !== holderOf(request)) return undefined
  const lastToken = before.records.get(request.name)?.fencingToken ?? 0
  if (record.fencingToken <= lastToken) return undefined
  const rerun = after.rows.get(request.name)?.rerun === true
  return granted(request, { ...record, storeTime: record.lockedAt }, rerun)
}

const granted = (request: AcquireRequest, record: LockRecord, rerun?: boolean): AcquireResult => ({
  granted: true,
  lease: leaseOf(record, request.owner, record.storeTime),
  ...(rerun !== undefined && { rerun }),
})

/** Somebody was faster in every round: whenever the server decided, the lock was held. */
function beaten({ name }: AcquireRequest, { records }: Reading): Settled<AcquireResult> {
  const record = records.get(name)
  if (record) return { granted: false, reason: 'held', record, storeTime: record.storeTime }
  return new StoreError(
    `mongodb: the record of lock ${JSON.stringify(name)} was made ${MOST_ROUNDS} times, and is not there`,
  )
}
