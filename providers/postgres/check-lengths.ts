/* Which requests the table can keep. One that it can't would fail the statement of its whole batch. */
import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { holderOf, RELEASED, releasedHolderOf } from '../../src/provider/holder.ts'
import { FAR } from './rows.ts'

/** How many characters the columns take. */
export interface Widths {
  readonly name: number
  readonly lockedBy: number
}

/** A request of any verb: what they have in common, and what only some of them have. */
export interface KeptRequest {
  readonly name: string
  readonly owner: string
  readonly label: string
  readonly metadata?: string | undefined
  readonly lockAtMostFor?: number
  readonly lockAtLeastFor?: number
  readonly tick?: number | undefined
  readonly maxClockSkew?: number
  readonly mayShortenUntil?: number | undefined
}

/** PostgreSQL keeps no NUL character, and half of a surrogate pair is no character at all. */
const UNFIT = /[\0\p{Surrogate}]/u

/** The first instant of a timestamp of PostgreSQL, and the longest lease, ms: no sum of these leaves the range of its timestamps. */
const FIRST_INSTANT = -2.1e14
const LONGEST = 1e14

/** Characters that need a closer look: halves of pairs may be whole pairs. */
const SUSPICIOUS = /[\0\ud800-\udfff]/

/** Why the table can't keep this request, or `undefined`. */
export function unfit(request: KeptRequest, widths: Widths): Error | undefined {
  if (isPlain(request, widths)) return undefined
  const problem = problemOf(request, widths)
  return problem === undefined
    ? undefined
    : new InvalidOptionError(`postgres: lock ${JSON.stringify(request.name)}: ${problem}`)
}

/** Whether the table can keep it at first sight, as it can nearly all: thousands are looked at in one batch. */
function isPlain(request: KeptRequest, { name: width, lockedBy }: Widths): boolean {
  const { name, label, owner, metadata = '', tick = 0, lockAtMostFor = 0, lockAtLeastFor = 0 } = request
  return (
    name.length <= width &&
    label.length + owner.length + `#${RELEASED}`.length <= lockedBy &&
    !SUSPICIOUS.test(name) &&
    !SUSPICIOUS.test(label) &&
    !SUSPICIOUS.test(owner) &&
    !SUSPICIOUS.test(metadata) &&
    tick >= FIRST_INSTANT &&
    tick <= FAR &&
    Math.min(lockAtMostFor, lockAtLeastFor) >= 0 &&
    Math.max(lockAtMostFor, lockAtLeastFor) <= LONGEST &&
    !Number.isNaN((request.maxClockSkew ?? 0) + (request.mayShortenUntil ?? 0))
  )
}

function problemOf(request: KeptRequest, widths: Widths): string | undefined {
  return (
    wrongText('name', request.name) ??
    wrongText('label or owner', holderOf(request)) ??
    wrongText('metadata', request.metadata ?? '') ??
    tooWide('name', request.name, widths.name) ??
    tooWide('locked_by', releasedHolderOf(request), widths.lockedBy) ??
    outOfRange('lockAtMostFor', request.lockAtMostFor, 0, LONGEST) ??
    outOfRange('lockAtLeastFor', request.lockAtLeastFor, 0, LONGEST) ??
    outOfRange('tick', request.tick, FIRST_INSTANT, FAR) ??
    outOfRange('maxClockSkew', request.maxClockSkew, -Infinity, Infinity) ??
    outOfRange('mayShortenUntil', request.mayShortenUntil, -Infinity, Infinity)
  )
}

function wrongText(what: string, text: string): string | undefined {
  const [character] = UNFIT.exec(text) ?? []
  return character === undefined
    ? undefined
    : `PostgreSQL can't keep the character ${JSON.stringify(character)} in its ${what}; leave it out`
}

function tooWide(column: string, text: string, width: number): string | undefined {
  if (text.length <= width) return undefined
  const length = [...text].length
  return length <= width
    ? undefined
    : `the column ${column} takes ${width} characters, but this needs ${length}; shorten it, or call setup() of the provider if the column takes fewer than 255`
}

function outOfRange(what: string, value: number | undefined, from: number, to: number): string | undefined {
  if (value === undefined || (value >= from && value <= to)) return undefined
  return `${what} must be a number from ${from} to ${to}, but is ${show(value)}`
}
