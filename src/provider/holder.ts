/*
 * How the holder of a lock is written in the store: one text of at most 255 characters, since ShedLock's records have
 * one such field and a node of either kind that takes a lock over must be seen by the other.
 *
 *   held      <label>#<owner>
 *   released  <label>#<owner>#released
 *
 * The second form stays until the next grant. By it a late duplicate of a request by the same owner (an extension or an
 * acquisition that was held up on its way) is known to be over, also while lockAtLeastFor still keeps the lock taken.
 */

interface Holder {
  readonly owner: string
  readonly label: string
}

/** Marks the holder of a lock that was released. */
export const RELEASED = '#released'

/** The longest label kept: with an owner of 36 characters and the marker it fits 255. */
export const MAX_LABEL = 200

/** What stands in the store while this owner has the lock. */
export const holderOf = ({ label, owner }: Holder): string => `${cutLabel(label)}#${owner}`

/** The label as it is kept: never half of a surrogate pair at its end, which a store could not keep. */
export function cutLabel(label: string): string {
  const cut = label.length > MAX_LABEL ? label.slice(0, MAX_LABEL) : label
  const last = cut.charCodeAt(cut.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? cut.slice(0, -1) : cut
}

/** What stands in the store after this owner has released, until the next grant. */
export const releasedHolderOf = (holder: Holder): string => holderOf(holder) + RELEASED

/** An owner is a UUID, or the end of one and the mark of a schedule: see `newOwner` in lock/obtain.ts. */
const OWN = new RegExp(String.raw`#(?:[\da-f]{8}-[\da-f-]{27}|[\da-f-]{27}\.[\da-z]+)(?:${RELEASED})?$`)

/** Whether a node of ticklock wrote this holder, and not ShedLock or another program. */
export const isOwnHolder = (lockedBy: string): boolean => OWN.test(lockedBy)

/** Whether this holder has released its lock. */
export const hasReleased = (lockedBy: string): boolean => lockedBy.endsWith(RELEASED)

/** The holder as people read it: the label alone, or the whole text when another kind of node wrote it. */
export function labelOf(lockedBy: string): string {
  const held = hasReleased(lockedBy) ? lockedBy.slice(0, -RELEASED.length) : lockedBy
  const cut = held.lastIndexOf('#')
  return cut > 0 ? held.slice(0, cut) : held
}
