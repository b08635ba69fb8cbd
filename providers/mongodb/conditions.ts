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

const hasType = (field: string, ...types: readonly string[]): object => ({ $in: [{ $type: field }, types] })

export const isMissing = (field: string): object => hasType(field, 'missing', 'null', 'undefined')
export const isText = (field: string): object => hasType(field, 'string')
export const isBoolean = (field: string): object => hasType(field, 'bool')

/** An integer from 0 to 2^53 - 1. `$trunc` fails for what is no number, and `$cond` evaluates it for numbers alone. */
export const isToken = (field: string): object => ({
  $cond: [
    hasType(field, 'int', 'long', 'double'),
    {
      $and: [
        { $gte: [field, 0] },
        { $lte: [field, Number.MAX_SAFE_INTEGER] },
        { $eq: [field, { $trunc: [{ $cond: [hasType(field, 'int', 'long', 'double'), field, 0] }] }] },
      ],
    },
    false,
  ],
})

const orMissing = (field: string, condition: (field: string) => object): object => ({
  $or: [isMissing(field), condition(field)],
})

/** Whether every value is one that a lock can have: `checkLock` in the server's language. ShedLock's records have the first three alone. */
export const READABLE = {
  $and: [
    isTime('$lockUntil'),
    isTime('$lockedAt'),
    isText('$lockedBy'),
    orMissing('$fencingToken', isToken),
    orMissing('$lastTick', isTime),
    orMissing('$tickDone', isBoolean),
    orMissing('$metadata', isText),
    orMissing('$paused', isBoolean),
  ],
}

/** Whether the lease has not expired. */
export const UNEXPIRED = { $gt: ['$lockUntil', NOW] }
