/* Single requests to a provider, with defaults that no case needs to repeat, and answers that a case can go on with. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { isRecordBusy } from '../errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  Refused,
  ReleaseRequest,
  Settled,
} from '../provider/contract.ts'
import { isUnreadable } from '../provider/record.ts'

/** A lease that no case outlives. */
export const LONG_MS = 60_000

/** A lease that a case can wait for. */
export const SHORT_MS = 80

/** The bound within which a tick may lie ahead, where a case says nothing else. */
export const SKEW_MS = 60_000

/** Who requests what. */
export interface Holder {
  readonly name: string
  readonly owner: string
  readonly label: string
}

/** Everyone in these cases is on the same host and in the same process, as far as people can tell: only the owner tells them apart. */
export const newHolder = (name: string): Holder => ({ name, owner: randomUUID(), label: 'one-host:1' })

type Options<Request> = Partial<Omit<Request, keyof Holder>>

// Requests are frozen: a provider that changes what it was given fails.
export const toAcquire = (holder: Holder, options: Options<AcquireRequest> = {}): AcquireRequest =>
  Object.freeze({ ...holder, lockAtMostFor: LONG_MS, maxClockSkew: SKEW_MS, ...options })

export const toExtend = (holder: Holder, options: Options<ExtendRequest> = {}): ExtendRequest =>
  Object.freeze({ ...holder, lockAtMostFor: LONG_MS, lockAtLeastFor: 0, ...options })

export const toRelease = (holder: Holder, options: Options<ReleaseRequest> = {}): ReleaseRequest =>
  Object.freeze({ ...holder, lockAtLeastFor: 0, ...options })

/** For so long a request is repeated whose record another node has locked for a moment, ms. */
const BUSY_FOR = 5_000

/** Sends a batch, of which no request may fail. Those for records that another node has locked are repeated, as the core does. */
async function send<Request, Result>(
  requests: readonly Request[],
  verb: (requests: readonly Request[]) => Promise<readonly Settled<Result>[]>,
): Promise<readonly Result[]> {
  const results = [...(await verb(Object.freeze(requests)))]
  const deadline = performance.now() + BUSY_FOR
  for (;;) {
    const busy = results.flatMap((result, index) => (isRecordBusy(result) ? [index] : []))
    if (busy.length === 0 || performance.now() > deadline) return allOk(results)
    await pause(5)
    const again = await verb(Object.freeze(busy.map((index) => requests[index] as Request)))
    for (const [position, index] of busy.entries()) results[index] = again[position] as Settled<Result>
  }
}

/** Sends a batch, of which no request may fail. */
export const acquireAll = (
  node: LockProvider,
  requests: readonly AcquireRequest[],
): Promise<readonly AcquireResult[]> => send(requests, (batch) => node.acquire(batch))

/** Sends a batch, of which no request may fail. */
export const extendAll = (
  node: LockProvider,
  requests: readonly ExtendRequest[],
): Promise<readonly (Lease | undefined)[]> => send(requests, (batch) => node.extend(batch))

/** Sends a batch, of which no request may fail. */
export const releaseAll = (node: LockProvider, requests: readonly ReleaseRequest[]): Promise<readonly boolean[]> =>
  send(requests, (batch) => node.release(batch))

/** Reads records of which none may be unreadable. */
export async function readAll(node: LockProvider, names?: readonly string[]): Promise<readonly LockRecord[]> {
  return (await node.read(names)).map((record) => {
    if (isUnreadable(record)) throw record.unreadable
    return record
  })
}

/** The results of a batch of which no request failed. */
export const allOk = <Result>(results: readonly Settled<Result>[]): readonly Result[] =>
  results.map((result) => {
    if (result instanceof Error) throw result
    return result
  })

/** Requests a lock of 60 s, unless the options say otherwise. */
export async function acquire(
  node: LockProvider,
  holder: Holder,
  options?: Options<AcquireRequest>,
): Promise<AcquireResult> {
  return onlyOne(await acquireAll(node, [toAcquire(holder, options)]))
}

/** Requests a lock that must be granted. */
export async function granted(node: LockProvider, holder: Holder, options?: Options<AcquireRequest>): Promise<Lease> {
  return assertGranted(await acquire(node, holder, options), holder)
}

/** Requests a lock that must be refused, for this reason. */
export async function refused(
  node: LockProvider,
  holder: Holder,
  reason: Refused['reason'],
  options?: Options<AcquireRequest>,
): Promise<Refused> {
  return assertRefused(await acquire(node, holder, options), reason)
}

/** Requests 60 s more, unless the options say otherwise. */
export async function extend(
  node: LockProvider,
  holder: Holder,
  options?: Options<ExtendRequest>,
): Promise<Lease | undefined> {
  return onlyOne(await extendAll(node, [toExtend(holder, options)]))
}

/** Requests an extension that must be given. */
export async function extended(node: LockProvider, holder: Holder, options?: Options<ExtendRequest>): Promise<Lease> {
  const lease = await extend(node, holder, options)
  assert.ok(lease, 'the holder of an unexpired lease must be able to extend it')
  return lease
}

/** Gives a lock back. */
export async function release(node: LockProvider, holder: Holder, options?: Options<ReleaseRequest>): Promise<boolean> {
  return onlyOne(await releaseAll(node, [toRelease(holder, options)]))
}

export function assertGranted(result: AcquireResult, holder: Holder): Lease {
  assert.ok(result.granted, `expected a grant, but was refused: ${JSON.stringify(result)}`)
  assert.deepEqual([result.lease.name, result.lease.owner], [holder.name, holder.owner], 'the lease is for another')
  return result.lease
}

export function assertRefused(result: AcquireResult, reason: Refused['reason']): Refused {
  assert.ok(!result.granted, `expected a refusal (${reason}), but was granted: ${JSON.stringify(result)}`)
  assert.equal(result.reason, reason)
  return result
}

function onlyOne<Answer>(answers: readonly Answer[]): Answer {
  assert.equal(answers.length, 1, 'one request must get one answer')
  return answers[0] as Answer
}
