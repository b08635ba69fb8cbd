/*
 * The changes that decide.ts describes, as conditions and update pipelines that the server decides by its own clock. Each pipeline begins
 * with the time of the change, by which the rest of it goes; it runs for records that can be read, so none of its steps can fail.
 */
import type {
  AcquireRequest,
  CompleteRequest,
  ExtendRequest,
  FenceRequest,
  PauseRequest,
  ReleaseRequest,
  ResetRequest,
} from '../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../src/provider/holder.ts'
import {
  HAS_TIMES,
  HAS_TOKEN,
  is,
  isBoolean,
  isMissing,
  isText,
  isTime,
  literal,
  NOW,
  READABLE,
  TOKEN,
  UNEXPIRED,
} from './conditions.ts'

/** One record to change, and how, if the condition in its filter holds. */
export interface Change {
  readonly filter: { readonly _id: string; readonly $expr: object }
  readonly update: object[]
}

const EPOCH = new Date(0)

/** The time of the change, in the steps of a pipeline that come after its first. */
const THEN = '$changedAt'

const change = (name: string, conditions: readonly object[], set: object, guard: object = READABLE): Change => ({
  filter: { _id: name, $expr: { $and: [guard, ...conditions] } },
  update: [{ $set: { changedAt: NOW } }, { $set: set }],
})

/** One more than the last token, or the clock in microseconds: see nextFencingToken in decide.ts. `$toLong` keeps it an integer. */
const nextToken = (last: unknown): object => ({
  $max: [{ $add: [{ $toLong: last }, 1] }, { $multiply: [{ $toLong: THEN }, 1_000] }],
})

/** Makes a record that is free, if the name has none. MongoDB takes no `$expr` in the filter of an upsert, so it can't be granted at once. */
export const creationOf = (name: string) => ({
  filter: { _id: name },
  update: { $setOnInsert: { lockedBy: '', lockedAt: EPOCH, lockUntil: EPOCH } },
  upsert: true,
})

/**
 * Grants a lock that is free, on a tick that is free. The record has been read before; that its token still is the one of then is enough to
 * know that it can be read, and costs the server less than to look at all of it.
 */
export function grantOf(request: AcquireRequest, lastToken: number): Change {
  const { name, tick, metadata, lockAtMostFor } = request
  const ours = holderOf(request)
  return change(
    name,
    [
      { $not: [UNEXPIRED] },
      { $ne: ['$lockedBy', literal(releasedHolderOf(request))] },
      ...(tick === undefined ? [] : tickIsFree(request, tick)),
    ],
    {
      lockedBy: literal(ours),
      lockedAt: THEN,
      lockUntil: { $add: [THEN, lockAtMostFor] },
      fencingToken: nextToken(TOKEN),
      metadata: metadata === undefined ? '$$REMOVE' : literal(metadata),
      ...(tick === undefined ? { rerun: '$$REMOVE' } : takenTick(new Date(tick), ours)),
    },
    { $and: [isTime('$lockUntil'), { $eq: [TOKEN, lastToken] }] },
  )
}

/** `rerun`: another owner was granted the tick, and did not finish it. */
const takenTick = (at: Date, ours: string): object => ({
  lastTick: at,
  tickDone: false,
  rerun: { $and: [{ $eq: ['$lastTick', at] }, { $ne: ['$lockedBy', literal(ours)] }] },
})

function tickIsFree(request: AcquireRequest, tick: number): object[] {
  const at = new Date(tick)
  const unfinished = [{ $eq: ['$lastTick', at] }, { $ne: ['$tickDone', true] }]
  const mayTakeOver = request.onCrash === 'rerun' ? [] : [is('$lockedBy', holderOf(request))]
  return [
    { $gte: [NOW, new Date(tick - request.maxClockSkew)] },
    { $ne: ['$paused', true] },
    { $or: [{ $lt: [{ $ifNull: ['$lastTick', null] }, at] }, { $and: [...unfinished, ...mayTakeOver] }] },
  ]
}

/** Lengthens an unexpired lease of this owner, or sets it while that is allowed. */
export function extensionOf(request: ExtendRequest): Change {
  const { name, lockAtMostFor, lockAtLeastFor, mayShortenUntil } = request
  const keptUntil =
    mayShortenUntil === undefined
      ? '$lockUntil'
      : { $cond: [{ $lte: [THEN, new Date(mayShortenUntil)] }, EPOCH, '$lockUntil'] }
  const lockUntil = { $max: [{ $add: [THEN, lockAtMostFor] }, { $add: ['$lockedAt', lockAtLeastFor] }, keptUntil] }
  // Whether the rest can be read is seen by the reading that follows.
  return change(name, heldBy(request), { lockUntil }, HAS_TIMES)
}

const WAS_DONE = { $ifNull: ['$tickDone', false] }

/** Whether the last tick is done when this one is. */
const doneAfter = (tick: number | undefined): object =>
  tick === undefined ? WAS_DONE : { $or: [WAS_DONE, { $eq: ['$lastTick', new Date(tick)] }] }

/** Ends an unexpired lease of this owner, and marks its tick as done if it still is the last one. `by` is kept as who released last. */
export function releaseOf(request: ReleaseRequest, by: string): Change {
  const { name, tick, lockAtLeastFor } = request
  return change(name, heldBy(request), {
    lockedBy: literal(releasedHolderOf(request)),
    // Stays over the next grant: a batch must be able to tell which of its releases were made, see release.ts.
    releasedBy: literal(by),
    lockUntil: { $max: [THEN, { $add: ['$lockedAt', lockAtLeastFor] }] },
    tickDone: doneAfter(tick),
  })
}

/** Whether no later grant exists and the run goes on, as decideFence in src/provider/decide.ts says. */
const latestGrant = (request: FenceRequest): object[] => [
  { $eq: [TOKEN, request.fencingToken] },
  {
    $or: [
      is('$lockedBy', holderOf(request)),
      ...(request.tick === undefined
        ? []
        : [
            {
              $and: [
                is('$lockedBy', releasedHolderOf(request)),
                { $eq: ['$lastTick', new Date(request.tick)] },
                { $ne: ['$tickDone', true] },
              ],
            },
          ]),
    ],
  },
]

/** Keeps the record from others until the transaction ends. */
export const fenceOf = (request: FenceRequest): Change =>
  change(request.name, latestGrant(request), { changedAt: THEN })

/** As decideComplete in src/provider/decide.ts. */
export const completionOf = (request: CompleteRequest): Change =>
  change(request.name, latestGrant(request), {
    lockedBy: literal(releasedHolderOf(request)),
    lockUntil: { $max: [{ $min: [THEN, '$lockUntil'] }, { $add: ['$lockedAt', request.lockAtLeastFor] }] },
    tickDone: doneAfter(request.tick),
  })

/** Marks the tick of a lease as done that has expired or was released before, while nobody took the lock over. */
export const lateReleaseOf = (request: ReleaseRequest, tick: number): Change =>
  change(
    request.name,
    [
      {
        $or: [
          { $and: [is('$lockedBy', holderOf(request)), { $not: [UNEXPIRED] }] },
          is('$lockedBy', releasedHolderOf(request)),
        ],
      },
      { $eq: ['$lastTick', new Date(tick)] },
    ],
    { tickDone: true },
  )

/**
 * Ends an unexpired lease whoever has it, as if it had ended when it began. Were it to end now, an extension whose command began a moment
 * before (so that its `$$NOW` is earlier) and that comes to this record after us would find the lease unexpired, and take the lock back.
 */
export const forcedReleaseOf = (name: string): Change =>
  change(name, [UNEXPIRED], { lockUntil: { $min: ['$lockedAt', THEN] } })

/** Sets a last tick that lies too far in the future back to the present, done. */
export const resetOf = ({ name, maxClockSkew }: ResetRequest): Change =>
  change(name, [isTime('$lastTick'), { $gt: ['$lastTick', { $add: [NOW, maxClockSkew] }] }], {
    lastTick: THEN,
    tickDone: true,
  })

/** Replaces each value that no lock can have, as `repairLock` does. */
export function repairOf(name: string): Change {
  const tickLost = { $not: [{ $or: [isMissing('$lastTick'), isTime('$lastTick')] }] }
  const kept = (field: string, condition: object, otherwise: unknown): object => ({
    $cond: [condition, field, otherwise],
  })
  return {
    filter: { _id: name, $expr: { $not: [READABLE] } },
    update: [
      { $set: { changedAt: NOW } },
      {
        $set: {
          lockUntil: kept('$lockUntil', isTime('$lockUntil'), THEN),
          lockedAt: kept('$lockedAt', isTime('$lockedAt'), THEN),
          lockedBy: kept('$lockedBy', isText('$lockedBy'), ''),
          fencingToken: { $cond: [HAS_TOKEN, { $toLong: { $cond: [HAS_TOKEN, TOKEN, 0] } }, nextToken(0)] },
          lastTick: { $cond: [tickLost, THEN, kept('$lastTick', isTime('$lastTick'), '$$REMOVE')] },
          tickDone: { $or: [tickLost, { $eq: ['$tickDone', true] }] },
          metadata: kept('$metadata', isText('$metadata'), '$$REMOVE'),
          paused: kept('$paused', isBoolean('$paused'), '$$REMOVE'),
        },
      },
    ],
  }
}

/** Pauses, or resumes: then its ticks up to now are over. */
export function pauseOf({ name, paused }: PauseRequest): Change {
  if (paused) return change(name, [{ $ne: ['$paused', true] }], { paused })
  const passed = { $lt: [{ $ifNull: ['$lastTick', EPOCH] }, THEN] }
  return change(name, [{ $eq: ['$paused', true] }], {
    paused,
    lastTick: { $max: ['$lastTick', THEN] },
    tickDone: { $or: [passed, WAS_DONE] },
  })
}

const heldBy = (request: ExtendRequest | ReleaseRequest): object[] => [is('$lockedBy', holderOf(request)), UNEXPIRED]

/** Records that have been free, and whose last tick has been past, for so many ms. Documents of another kind can't be read. */
export function unusedFor(ms: number): object {
  const before = { $subtract: ['$$NOW', ms] }
  return {
    paused: { $ne: true },
    $expr: {
      $and: [READABLE, { $lt: ['$lockUntil', before] }, { $lt: [{ $ifNull: ['$lastTick', EPOCH] }, before] }],
    },
  }
}
