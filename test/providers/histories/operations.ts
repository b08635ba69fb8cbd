/*
 * What may be asked for in a history. Names, owners and ticks are told relative to what is there when their turn comes, so that they keep
 * their sense when a failing history is cut shorter.
 */

/** Which of the names of a history. */
type NameIndex = number

/** Whoever has the lock, or had it last; or one of a few owners. */
export type Who = 'holder' | number

/** A tick: so many ms after the last one of the name, after the store's clock, or after the furthest that the skew allows. */
export type TickChoice = { readonly from: 'last' | 'now' | 'bound'; readonly ms: number } | undefined

export interface AskedAcquire {
  readonly name: NameIndex
  readonly who: Who
  readonly lockAtMostFor: number
  readonly tick: TickChoice
  readonly onCrash: 'skip' | 'rerun' | undefined
  readonly maxClockSkew: number
  readonly metadata: string | undefined
}

export interface AskedExtend {
  readonly name: NameIndex
  readonly who: Who
  readonly lockAtMostFor: number
  readonly lockAtLeastFor: number
  /** So many ms after the store's clock as it was last seen. */
  readonly mayShortenFor: number | undefined
}

export interface AskedRelease {
  readonly name: NameIndex
  readonly who: Who
  readonly lockAtLeastFor: number
  readonly tick: TickChoice
}

/** One call. `node` is which of two clients sends it. */
export type Operation = { readonly node: number } & (
  | { readonly verb: 'acquire'; readonly asked: readonly AskedAcquire[] }
  | { readonly verb: 'extend'; readonly asked: readonly AskedExtend[] }
  | { readonly verb: 'release'; readonly asked: readonly AskedRelease[] }
  /** An earlier call once more, so many calls ago: its reply was lost, or it was held up on its way. */
  | { readonly verb: 'repeat'; readonly ago: number }
  | { readonly verb: 'read'; readonly names: readonly NameIndex[] | undefined }
  | { readonly verb: 'forceRelease'; readonly name: NameIndex }
  | { readonly verb: 'prune'; readonly olderThanMs: number }
  /** The record of this name is lost, with all that is beside it. */
  | { readonly verb: 'lose'; readonly name: NameIndex }
  /** Until the lease of this name is over, if that is soon. */
  | { readonly verb: 'wait'; readonly name: NameIndex }
)

/** How many names a history has. */
export const NAMES = 4
/** How many owners a history has. */
export const OWNERS = 3
