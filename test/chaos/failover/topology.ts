import type { LockProvider, LockRecord } from 'ticklock'
import { isUnreadable } from 'ticklock/provider'

/** Servers of which one takes over from another, and what goes wrong with them. */
export interface Topology {
  readonly version: string
  /** A provider with a client of its own, as each node has one. Closing it closes the client. */
  connect(): LockProvider
  /** Lets the failure happen, and whatever takes over take over. Resolves with what the survivor held then, before anybody asked it for anything. */
  fail(): Promise<readonly LockRecord[] | undefined>
  /** What comes back later: the old primary, a link. Called some time after `fail`. */
  restore?(): Promise<void>
  stop(): Promise<void>
}

/** What happens to a kind of store. */
export interface Scenario {
  /** As `--store` names it. */
  readonly name: string
  /** As the table says it. */
  readonly store: string
  readonly failure: string
  /** How long the load goes on after what was hit has come back, in ms. @default 4000 */
  readonly after?: number
  start(): Promise<Topology>
}

/** Ends all, also when one can't be ended. */
export async function stopAll(...ends: readonly (() => unknown)[]): Promise<void> {
  await Promise.allSettled(ends.map(async (end) => await end()))
}

/** What a provider reads; the provider is closed. */
export async function readAll(provider: LockProvider): Promise<readonly LockRecord[]> {
  try {
    return (await provider.read()).flatMap((record) => (isUnreadable(record) ? [] : [record]))
  } finally {
    await provider.close()
  }
}
