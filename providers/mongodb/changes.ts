/*
 * The changes that decide.ts describes, as conditions and update pipelines that the server decides by its own clock.
 *
 *   $$NOW      the server's clock in whole ms, one reading for the whole command
 *   $literal   keeps a text a text: in an expression '$foo' would be the field foo, and a label or metadata may begin so
 */
import type { AcquireRequest, ExtendRequest, PauseRequest, ReleaseRequest } from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'

/** One record to change, and how, if the condition in its filter holds. */
export interface Change {
  readonly filter: { readonly _id: string; readonly $expr: object }
  readonly update: object[]
}

const EPOCH = new Date(0)
const literal = (text: string): object => ({ $literal: text })
const is = (field: string, text: string): object => ({ $eq: [field, literal(text)] })

/** Missing and null sort before every date. A document without a lockUntil has nobody's lease. */
const UNEXPIRED = { $gt: ['$lockUntil', '$$NOW'] }

/** One more than the last token, or the clock in microseconds: see nextFencingToken in decide.ts. `$toLong` keeps it an integer. */
const NEXT_TOKEN = {
  $max: [{ $add: [{ $toLong: { $ifNull: ['$fencingToken', 0] } }, 1] }, { $multiply: [{ $toLong: '$$NOW' }, 1_000] }],
}

/** Makes a record that is free, if the name has none. MongoDB takes no `$expr` in the filter of an upsert, so it can't be granted at once. */
export const creationOf = (name: string) => ({
  filter: { _id: name },
  update: { $setOnInsert: { lockedBy: '', lockedAt: EPOCH, lockUntil: EPOCH } },
  upsert: true,
})

/** Grants a lock that is free, on a tick that is free. */
export function grantOf(request: AcquireRequest): Change {
  const { name, tick, metadata, lockAtMostFor } = request
  return {
    filter: {
      _id: name,
      $expr: {
        $and: [
          { $not: [UNEXPIRED] },
          { $ne: ['$lockedBy', literal(releasedHolderOf(request))] },
          ...(tick === undefined ? [] : tickIsFree(request, tick)),
        ],
      },
    },
    update: [
      {
        $set: {
          lockedBy: literal(holderOf(request)),
          lockedAt: '$$NOW',
          lockUntil: { $add: ['$$NOW', lockAtMostFor] },
          fencingToken: NEXT_TOKEN,
          metadata: metadata === undefined ? '$$REMOVE' : literal(metadata),
          ...(tick === undefined ? {} : { lastTick: new Date(tick), tickDone: false }),
        },
      },
    ],
  }
}

function tickIsFree(request: AcquireRequest, tick: number): object[] {
  const at = new Date(tick)
  const unfinished = [{ $eq: ['$lastTick', at] }, { $ne: ['$tickDone', true] }]
  const mayTakeOver = request.onCrash === 'rerun' ? [] : [is('$lockedBy', holderOf(request))]
  return [
    { $gte: ['$$NOW', new Date(tick - request.maxClockSkew)] },
    { $ne: ['$paused', true] },
    { $or: [{ $lt: [{ $ifNull: ['$lastTick', null] }, at] }, { $and: [...unfinished, ...mayTakeOver] }] },
  ]
}

/** Lengthens an unexpired lease of this owner, or sets it while that is allowed. */
export function extensionOf(request: ExtendRequest): Change {
  const { lockAtMostFor, lockAtLeastFor, mayShortenUntil } = request
  const keptUntil =
    mayShortenUntil === undefined
      ? '$lockUntil'
      : { $cond: [{ $lte: ['$$NOW', new Date(mayShortenUntil)] }, EPOCH, '$lockUntil'] }
  return {
    filter: heldBy(request),
    update: [
      {
        $set: {
          lockUntil: {
            $max: [{ $add: ['$$NOW', lockAtMostFor] }, { $add: ['$lockedAt', lockAtLeastFor] }, keptUntil],
          },
        },
      },
    ],
  }
}

/** Ends an unexpired lease of this owner, and marks its tick as done if it still is the last one. `by` is kept as who released last. */
export function releaseOf(request: ReleaseRequest, by: string): Change {
  const { tick, lockAtLeastFor } = request
  const done = { $ifNull: ['$tickDone', false] }
  return {
    filter: heldBy(request),
    update: [
      {
        $set: {
          lockedBy: literal(releasedHolderOf(request)),
          // Stays over the next grant: a batch must be able to tell which of its releases were made, see release.ts.
          releasedBy: literal(by),
          lockUntil: { $max: ['$$NOW', { $add: ['$lockedAt', lockAtLeastFor] }] },
          tickDone: tick === undefined ? done : { $or: [done, { $eq: ['$lastTick', new Date(tick)] }] },
        },
      },
    ],
  }
}

/**
 * Ends an unexpired lease whoever has it, as if it had ended when it began. Were it to end now, an extension whose command began a moment
 * before (so that its `$$NOW` is earlier) and that comes to this record after us would find the lease unexpired, and take the lock back.
 */
export const forcedReleaseOf = (name: string): Change => ({
  filter: { _id: name, $expr: UNEXPIRED },
  update: [{ $set: { lockUntil: { $min: ['$lockedAt', '$$NOW'] } } }],
})

/** Pauses, or resumes: then its ticks up to now are over. */
export function pauseOf({ name, paused }: PauseRequest): Change {
  if (paused) return { filter: { _id: name, $expr: { $ne: ['$paused', true] } }, update: [{ $set: { paused } }] }
  const passed = { $lt: [{ $ifNull: ['$lastTick', EPOCH] }, '$$NOW'] }
  const tickDone = { $or: [passed, { $ifNull: ['$tickDone', false] }] }
  return {
    filter: { _id: name, $expr: { $eq: ['$paused', true] } },
    update: [{ $set: { paused, lastTick: { $max: ['$lastTick', '$$NOW'] }, tickDone } }],
  }
}

const heldBy = (request: ExtendRequest | ReleaseRequest): Change['filter'] => ({
  _id: request.name,
  $expr: { $and: [is('$lockedBy', holderOf(request)), UNEXPIRED] },
})

/** Records that have been free, and whose last tick has been past, for so many ms. Documents of another kind have no lockUntil. */
export function unusedFor(ms: number): object {
  const before = { $subtract: ['$$NOW', ms] }
  return {
    lockUntil: { $type: 'date' },
    paused: { $ne: true },
    $expr: {
      $and: [{ $lt: ['$lockUntil', before] }, { $lt: [{ $ifNull: ['$lastTick', EPOCH] }, before] }],
    },
  }
}
