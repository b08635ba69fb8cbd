import { setTimeout as sleep } from 'node:timers/promises'
import type { StorePlan } from '../config/store.ts'
import type { Logger } from '../logger.ts'
import type { LockProvider } from '../provider/contract.ts'
import { failureOf } from './locks.ts'

/** How long the first setup of a store is waited for before the caller starts without it. In ms. */
const SETUP_TIMEOUT = 5_000
const FIRST_BACKOFF = 500
const LONGEST_BACKOFF = 30_000

export interface SetUp {
  readonly store: StorePlan
  readonly provider: LockProvider
  readonly logger: Logger
  /** Whether history gets its tables, too. @default false: whoever records it makes them */
  readonly withHistory?: boolean
  /** Ends the attempts. */
  readonly signal: AbortSignal
}

/**
 * Makes what the store needs. A store that can't be reached does not hinder the start: the setup is tried again in the background.
 *
 * @throws {StoreError} when the package of the store's driver is missing: then no later attempt succeeds.
 */
export async function setUpStore(setUp: SetUp): Promise<void> {
  // Referenced: where nothing else is under way, the process would end here with code 0.
  const waited = new AbortController()
  const timeout = sleep(SETUP_TIMEOUT, undefined, { signal: waited.signal }).catch(() => {})
  await Promise.race([untilDone(setUp), timeout]).finally(() => waited.abort())
}

async function untilDone({ store, provider, logger, signal, withHistory = false }: SetUp): Promise<void> {
  for (let backoff = FIRST_BACKOFF; !signal.aborted; backoff = Math.min(backoff * 2, LONGEST_BACKOFF)) {
    try {
      // A store that needs no setup is reached all the same, so that a missing driver shows.
      await (provider.setup ? provider.setup() : provider.read(['ticklock']))
      if (withHistory) await provider.history?.setup?.()
      return
    } catch (err) {
      if (signal.aborted) return
      if (isDriverMissing(err)) throw failureOf(store, err)
      logger.warn({ err, store: store.shown }, 'the store could not be set up; it is tried again')
      await sleep(backoff, undefined, { signal, ref: false }).catch(() => {})
    }
  }
}

const isDriverMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(
    ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '',
  )
