/*
 * Notices locks of other programs, such as ShedLock, that were taken by a clock which is not the store's: one in a JVM outside UTC writes its local
 * time unless it is told otherwise. Such a lock begins and ends hours off, and excludes nobody.
 */
import type { LockRecord } from './contract.ts'
import { isOwnHolder } from './holder.ts'

/** Less than any time zone is off, and more than clocks of machines mostly are, ms. */
const NOTICEABLE = 10 * 60_000

/** How many names are remembered. */
const MOST = 1_000

/** What a terminal would obey. Node prints warnings as they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROL = /[\0-\x1f\x7f-\x9f]/g

interface Seen {
  readonly lockedAt: number
  readonly storeTime: number
}

export class ForeignClock {
  readonly #store: string
  readonly #seen = new Map<string, Seen>()
  readonly #warned = new Set<string>()

  /** @param store what the warning begins with, such as `'postgres'` */
  constructor(store: string) {
    this.#store = store
  }

  /**
   * Looks at a record as the store returned it. Emits a process warning, once for each holder, when its lock was taken at a time that can't be: in
   * the future, or before the last time that another lock was seen there.
   */
  look({ name, lockedBy, lockedAt, storeTime }: LockRecord): void {
    if (lockedBy === '' || isOwnHolder(lockedBy)) return
    const before = this.#seen.get(name)
    // The oldest goes first.
    this.#seen.delete(name)
    this.#seen.set(name, { lockedAt, storeTime })
    if (this.#seen.size > MOST) this.#seen.delete(this.#seen.keys().next().value as string)
    const ahead = lockedAt - storeTime > NOTICEABLE
    // What has changed was taken since.
    const behind = before && lockedAt !== before.lockedAt && before.storeTime - lockedAt > NOTICEABLE
    if (ahead || behind) this.#warn(name, lockedBy, lockedAt - storeTime)
  }

  #warn(name: string, lockedBy: string, ms: number): void {
    if (this.#warned.has(lockedBy) || this.#warned.size >= MOST) return
    this.#warned.add(lockedBy)
    const hours = Math.abs(ms / 3_600_000).toFixed(1)
    const message =
      `${this.#store}: ${lockedBy} took lock ${JSON.stringify(name)} by a clock that is ${hours} hours ${ms > 0 ? 'ahead of' : 'behind'} the store's, ` +
      'so the lock excludes nobody. If it is a ShedLock in a JVM outside UTC, give its lock provider usingDbTime() or forceUtcTimeZone()'
    process.emitWarning(message.replace(CONTROL, '\ufffd'), {
      type: 'TicklockWarning',
      code: 'TICKLOCK_FOREIGN_CLOCK',
    })
  }
}
