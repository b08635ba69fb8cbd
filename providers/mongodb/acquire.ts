import { StoreError } from '../../src/errors.ts'
import { leaseOf } from '../../src/provider/answers.ts'
import type { AcquireRequest, AcquireResult, LockRecord, Refused } from '../../src/provider/contract.ts'
import { decideAcquire } from '../../src/provider/decide.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { grantOf } from './changes.ts'
import type { Reading, Records } from './records.ts'

/**
 * How often a lock that was read as free is asked for, when each time somebody else took it and gave it back between our write and
 * our next reading.
 */
const MOST_ROUNDS = 5

/**
 * Decides requests for different names. Most asks in a cluster are refused, and a refusal must write nothing: so the records are read
 * first, and only what that reading doesn't refuse is written. The write decides anew, by the server's clock.
 */
export async function acquireEach(records: Records, requests: readonly AcquireRequest[]): Promise<AcquireResult[]> {
  const results = new Map<AcquireRequest, AcquireResult>()
  let reading = await readFor(records, requests)
  let open = settle(requests, results, (request) => decided(request, reading))
  for (let round = 1; open.length > 0 && round <= MOST_ROUNDS; round++) {
    const before = reading
    reading = await grantEach(records, open, before)
    open = settle(open, results, (request) => newlyGranted(request, before, reading) ?? decided(request, reading))
  }
  for (const request of open) results.set(request, beaten(request, reading))
  return requests.map((request) => results.get(request) as AcquireResult)
}

/** Asks the server to grant what is free; answers with the records after that. */
async function grantEach(records: Records, requests: readonly AcquireRequest[], before: Reading): Promise<Reading> {
  const missing = requests.filter(({ name }) => !before.records.has(name)).map(({ name }) => name)
  const [first] = requests
  if (first && requests.length === 1 && missing.length === 0) {
    const record = await records.change(grantOf(first))
    if (record) {
      return { records: new Map([[record.name, record]]), releasers: new Map(), storeTime: record.storeTime }
    }
  } else {
    await records.changeAll(requests.map(grantOf), missing)
  }
  return await records.read(requests.map(({ name }) => name))
}

/** What is known before the first write. The clock of the server comes with each record; it is asked for apart where only a tick needs it. */
async function readFor(records: Records, requests: readonly AcquireRequest[]): Promise<Reading> {
  const reading = await records.read(requests.map(({ name }) => name))
  if (reading.storeTime !== undefined || requests.every(({ tick }) => tick === undefined)) return reading
  return { ...reading, storeTime: await records.clock() }
}

/** Notes the answers that are known; returns the requests that are still open. */
function settle(
  requests: readonly AcquireRequest[],
  results: Map<AcquireRequest, AcquireResult>,
  answer: (request: AcquireRequest) => AcquireResult | undefined,
): readonly AcquireRequest[] {
  return requests.filter((request) => {
    const result = answer(request)
    if (result) results.set(request, result)
    return !result
  })
}

/** The answer that a reading alone gives: a refusal, or the grant that this owner has already. */
function decided(request: AcquireRequest, { records, storeTime }: Reading): AcquireResult | undefined {
  const record = records.get(request.name)
  // Without a clock no tick is refused here: the write does it, by the server's.
  const now = storeTime ?? Number.POSITIVE_INFINITY
  const decision = decideAcquire(record, request, now)
  if (decision.outcome === 'refuse') return { granted: false, reason: decision.reason, record, storeTime: now }
  return decision.outcome === 'granted-before' && record ? granted(request, record) : undefined
}

/** The grant made between two readings, also if it has lapsed since: by its token it is told from one that this owner had before. */
function newlyGranted(request: AcquireRequest, before: Reading, after: Reading): AcquireResult | undefined {
  const record = after.records.get(request.name)
  if (!record || record.lockedBy !== holderOf(request)) return undefined
  const lastToken = before.records.get(request.name)?.fencingToken ?? 0
  return record.fencingToken > lastToken ? granted(request, { ...record, storeTime: record.lockedAt }) : undefined
}

const granted = (request: AcquireRequest, record: LockRecord): AcquireResult => ({
  granted: true,
  lease: leaseOf(record, request.owner, record.storeTime),
})

/** Somebody was faster in every round: whenever the server decided, the lock was held. */
function beaten({ name }: AcquireRequest, { records }: Reading): Refused {
  const record = records.get(name)
  if (record) return { granted: false, reason: 'held', record, storeTime: record.storeTime }
  throw new StoreError(`mongodb: the record of ${JSON.stringify(name)} was made ${MOST_ROUNDS} times, and is not there`)
}
