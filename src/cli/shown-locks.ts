import { naturalKey } from '../format/natural-order.ts'
import type { LockStatus, UnreadableLock } from './locks.ts'

export type ShownLock = LockStatus | UnreadableLock

/** In the order in which people look for them. */
const STATES = ['unreadable', 'crashed', 'held', 'kept', 'free'] as const
type State = (typeof STATES)[number]

export interface ShownLocks {
  readonly locks: readonly ShownLock[]
  /** Of those beyond the limit: how many are in which state. */
  readonly cut: readonly { readonly state: State; readonly count: number }[]
}

/** Those that people look for first, up to a limit: unreadable and crashed ones in front, then all others in natural order of their names. */
export function shownLocks(all: readonly ShownLock[], limit: number): ShownLocks {
  const byState = new Map(STATES.map((state) => [state, all.filter((lock) => lock.state === state)]))
  const kept = STATES.flatMap((state) => byState.get(state) ?? []).slice(0, limit)
  const shown = new Set(kept)
  const cut = STATES.flatMap((state) => {
    const count = byState.get(state)?.filter((lock) => !shown.has(lock)).length ?? 0
    return count > 0 ? [{ state, count }] : []
  })
  const keyed = kept.map((lock) => ({ lock, key: `${isProblem(lock) ? 0 : 1}${naturalKey(lock.name)}` }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return { locks: keyed.map(({ lock }) => lock), cut }
}

const isProblem = ({ state }: ShownLock): boolean => state === 'unreadable' || state === 'crashed'

/** `and 3 more: 1 held, 2 free.` */
export function whatWasCut({ cut }: ShownLocks): string {
  const total = cut.reduce((sum, { count }) => sum + count, 0)
  const states = cut.map(({ state, count }) => `${count} ${state}`).join(', ')
  return `and ${total} more: ${states}. Name the locks that you look for, or raise --limit.`
}
