/*
 * Conditions and times as expressions that the server evaluates. None of them can fail, whatever a document holds: one that did would fail
 * the whole command, and the requests for other names with it.
 *
 *   $$NOW      the server's clock in whole ms, one reading for the whole command
 *   $literal   keeps a text a text: in an expression '$foo' would be the field foo, and a label or metadata may begin so
 */

/** The instants that a `Date` of JavaScript can hold. BSON has more. */
const FIRST_INSTANT = new Date(-8.64e15)
const LAST_INSTANT = new Date(8.64e15)

/** A command that began longer ago than this, in ms, has been given up by its caller. */
const LONGEST_COMMAND = 10_000

export const literal = (text: string): object => ({ $literal: text })
export const is = (field: string, text: string): object => ({ $eq: [field, literal(text)] })

/**
 * When a command decides about a record. `$$NOW` is read when a command begins, and another may change the record between that and the
 * moment when this one comes to it: each change leaves its time, and no decision about its record is of an earlier one. A time further
 * ahead is that of a server whose clock was wrong, and doesn't count.
 */
export const NOW = {
  $cond: [
    {
      $and: [{ $gt: ['$changedAt', '$$NOW'] }, { $lt: ['$changedAt', { $add: ['$$NOW', LONGEST_COMMAND] }] }],
    },
    '$changedAt',
    '$$NOW',
  ],
}

/** Between two dates there are only dates, in BSON's order of all values. */
export const isTime = (field: string): object => ({
  $and: [{ $gte: [field, FIRST_INSTANT] }, { $lte: [field, LAST_INSTANT] }],
})

/** Missing and null come before all else. */
export const isMissing = (field: string): object => ({ $lte: [field, null] })
export const isText = (field: string): object => ({ $eq: [{ $type: field }, 'string'] })
export const isBoolean = (field: string): object => ({ $in: [field, [true, false]] })

/** The last fencing token, as a number if it is one. */
export const TOKEN = { $ifNull: ['$fencingToken', 0] }

/**
 * An integer from 0 to 2^53 - 2. `$and` stops at the first that doesn't hold, so `$trunc`, which fails for what is no
 * number, has one.
 */
export const HAS_TOKEN = {
  $and: [{ $gte: [TOKEN, 0] }, { $lt: [TOKEN, Number.MAX_SAFE_INTEGER] }, { $eq: [TOKEN, { $trunc: TOKEN }] }],
}

const orMissing = (field: string, condition: (field: string) => object): object => ({
  $or: [isMissing(field), condition(field)],
})

/** Whether every value is one that a lock can have: `checkLock` in the server's language. ShedLock's records have the first three alone. */
export const READABLE = {
  $and: [
    isTime('$lockUntil'),
    isTime('$lockedAt'),
    isText('$lockedBy'),
    HAS_TOKEN,
    orMissing('$lastTick', isTime),
    orMissing('$tickDone', isBoolean),
    orMissing('$metadata', isText),
    orMissing('$paused', isBoolean),
  ],
}

/** Whether the lease has begun and ends at times: enough for a change that reads nothing else. */
export const HAS_TIMES = { $and: [isTime('$lockUntil'), isTime('$lockedAt')] }

/** Whether the lease has not expired. */
export const UNEXPIRED = { $gt: ['$lockUntil', NOW] }
