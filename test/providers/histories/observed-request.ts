/* What one request did, as the real store answered, and how a model is asked for the same. */
import assert from 'node:assert/strict'
import type { AcquireResult, Lease, LockProvider, LockRecord } from '../../../src/provider/contract.ts'
import { acquireAll, allOk, extendAll } from '../../../src/testing/requests.ts'
import type { Call } from './calls.ts'

/** One request of a call. */
export interface ObservedRequest {
  readonly verb: Changing['verb']
  readonly name: string
  /** What the real store answered; undefined where only the record tells. */
  readonly answer: unknown
  /** When it may have been decided, by the store's clock: the likeliest first. One must fit. */
  readonly moments: readonly number[]
  /** Lets the model do the same; answers as `answer` does. */
  on(model: LockProvider): Promise<unknown>
  /** What else than the model's own answer is right, if anything. */
  excuse?(modelsAnswer: unknown): boolean
}

/** The store's clock before and after a call. A decision whose answer has no time fell somewhere between. */
export interface Span {
  readonly from: number
  readonly until: number
}

/** What there was before a call, and what was read after it. */
export interface Outcome {
  readonly span: Span
  readonly before: ReadonlyMap<string, LockRecord>
  readonly records: ReadonlyMap<string, LockRecord>
}

/** A call that may change something. */
export type Changing = Exclude<Call, { verb: 'read' }>

/** Sends a call; answers with what to make of it once the records have been read. */
export async function send(
  call: Changing,
  node: LockProvider,
  names: readonly string[],
): Promise<(outcome: Outcome) => readonly ObservedRequest[]> {
  const { verb } = call
  switch (call.verb) {
    case 'acquire': {
      const results = await acquireAll(node, call.requests)
      return ({ span }) =>
        call.requests.map((request, index) => {
          const result = results[index] as AcquireResult
          const on = async (model: LockProvider) => plainResult((await acquireAll(model, [request]))[0])
          const at = result.granted ? [result.lease.storeTime, result.lease.acquiredAt] : [result.storeTime]
          return { verb, name: request.name, answer: plainResult(result), moments: at.filter(within(span)), on }
        })
    }
    case 'extend': {
      const leases = await extendAll(node, call.requests)
      return ({ span, records }) =>
        call.requests.map((request, index) => {
          const lease = leases[index]
          // The end of the lease tells when it was extended, if that was the longest.
          const lockUntil = lease?.lockUntil ?? records.get(request.name)?.lockUntil ?? 0
          const told = lease ? [lease.storeTime] : []
          const on = async (model: LockProvider) => plainLease((await extendAll(model, [request]))[0])
          const moments = [...told, lockUntil - request.lockAtMostFor, span.from, span.until].filter(within(span))
          // Extended, but over before the answer came: whoever is told no knows all that matters.
          const excuse = (models: unknown) => !lease && isLease(models) && models.lockUntil <= micros(span.until)
          return { verb, name: request.name, answer: plainLease(lease), moments, on, excuse }
        })
    }
    case 'release': {
      const answers = allOk(await node.release(call.requests))
      return (outcome) =>
        call.requests.map((request, index) => {
          const on = async (model: LockProvider) => (await model.release([request]))[0]
          return { verb, name: request.name, answer: answers[index], moments: momentsOf(request.name, outcome), on }
        })
    }
    case 'forceRelease': {
      const answer = await node.forceRelease(call.name)
      return (outcome) => [
        {
          verb,
          name: call.name,
          answer,
          moments: momentsOf(call.name, outcome),
          on: (model) => model.forceRelease(call.name),
        },
      ]
    }
    case 'prune': {
      const dropped = await node.prune(call.olderThanMs)
      const on = async (model: LockProvider) => void (await model.prune(call.olderThanMs))
      return ({ span, before, records }) => {
        const gone = names.filter((name) => before.has(name) && !records.has(name))
        assert.equal(dropped, gone.length, 'the number of records that were dropped')
        return names.map((name) => ({ verb, name, answer: undefined, moments: [span.from, span.until], on }))
      }
    }
  }
}

/** A record whose lock is free from the moment of the decision on tells that moment. */
function momentsOf(name: string, { span, records }: Outcome): readonly number[] {
  const record = records.get(name)
  return [...(record ? [record.lockUntil] : []).filter(within(span)), span.from, span.until]
}

/** Times as doubles are off by less than this. */
const EXACT_MS = 0.001

const within =
  ({ from, until }: Span) =>
  (time: number): boolean =>
    time >= from - EXACT_MS && time <= until + EXACT_MS

/** In whole microseconds a time compares exactly. */
const micros = (ms: number): number => Math.round(ms * 1_000)

const plainLease = (lease: Lease | undefined) =>
  lease && {
    name: lease.name,
    owner: lease.owner,
    fencingToken: lease.fencingToken,
    acquiredAt: micros(lease.acquiredAt),
    lockUntil: micros(lease.lockUntil),
  }

const isLease = (answer: unknown): answer is NonNullable<ReturnType<typeof plainLease>> =>
  typeof answer === 'object' && answer !== null && 'lockUntil' in answer

const plainResult = (result: AcquireResult | undefined) =>
  result && (result.granted ? plainLease(result.lease) : { reason: result.reason, record: plainRecord(result.record) })

/** A record as it compares: times in whole microseconds, and every field there. */
export const plainRecord = (record: LockRecord | undefined) =>
  record && {
    name: record.name,
    lockedBy: record.lockedBy,
    lockedAt: micros(record.lockedAt),
    lockUntil: micros(record.lockUntil),
    fencingToken: record.fencingToken,
    lastTick: record.lastTick,
    tickDone: record.tickDone,
    metadata: record.metadata,
  }
