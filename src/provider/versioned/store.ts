/* What a store must offer that can only compare and set: a few calls on small values with versions. */

/** The store's clock lies between these two, both included, in ms since the epoch. They are equal where it is read exactly. */
export interface TimeBounds {
  readonly earliest: number
  readonly latest: number
}

/** A name in the store at a version, which changes at every write. */
export interface VersionedName {
  readonly name: string
  /** Opaque. It never comes back for a name, also not after a removal. */
  readonly version: string
}

/** A value as it was read. */
export interface VersionedEntry extends VersionedName {
  readonly value: string
}

/** A value to write on condition that the name still has this version. */
export interface VersionedWrite {
  readonly name: string
  readonly value: string
  /** Undefined: the name must have no value. */
  readonly version: string | undefined
}

/**
 * What became of a write. `'conflict'`: the name has another version, and nothing was written. An `Error`: whether it was written is
 * unknown, since the response was lost or the store failed.
 */
export type WriteResult = 'written' | 'conflict' | Error

/** What the caller of the store allows. */
export interface VersionedCall {
  /** How long the caller waits, in ms. */
  readonly timeout: number
}

/**
 * A store of small strings, each with a version. `versionedProvider` keeps locks in it.
 *
 * Each write is atomic for its own name only. No name occurs twice in a call. A rejection means that the store failed; whether anything
 * was written is then unknown.
 */
export interface VersionedStore {
  /** The values of these names that exist, in any order. A value may be outdated only if a `put` on its version fails. */
  get(names: readonly string[], call: VersionedCall): Promise<readonly VersionedEntry[]>
  /** Writes each value on condition of its version. Returns the results in the order of the writes. */
  put(writes: readonly VersionedWrite[], call: VersionedCall): Promise<readonly WriteResult[]>
  /** All values, in any order. */
  list(): Promise<readonly VersionedEntry[]>
  /** Removes each name that still has this version. Returns how many were removed. */
  remove(names: readonly VersionedName[]): Promise<number>
  /** The store's clock at present, or what bounds it. It is read after each `get`, and decides. */
  now(): TimeBounds | Promise<TimeBounds>
  /** Optional: makes what the store needs. Idempotent; concurrent callers are fine. */
  setup?(): Promise<void>
  /** Idempotent; closes only what the store itself opened. */
  close(): Promise<void>
}
