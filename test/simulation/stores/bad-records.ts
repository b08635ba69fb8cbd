import { RecordBusyError } from '../../../src/errors.ts'
import type { LockProvider, Settled } from '../../../src/provider/contract.ts'
import { checkLock, type RawLock, readRecord, repairLock } from '../../../src/provider/record.ts'
import type { SimulatedStore } from './store.ts'

/** A value that no lock can have, such as a text in a column of numbers. */
export type Poison = 'lockUntil' | 'lastTick' | 'lockedBy'

const POISONS: Readonly<Record<Poison, RawLock>> = {
  lockUntil: { lockUntil: 'soon' },
  lastTick: { lastTick: Number.NaN },
  lockedBy: { lockedBy: 7 },
}

/** Records that a stranger's transaction has locked, and records with values that no lock can have. The requests for them fail alone. */
export class BadRecords {
  readonly #store: SimulatedStore
  readonly #locked = new Map<string, number>()
  readonly #poisoned = new Map<string, Poison>()

  constructor(store: SimulatedStore) {
    this.#store = store
  }

  /** Whether a request for this name fails alone. */
  has(name: string): boolean {
    return this.#locked.has(name) || this.#poisoned.has(name)
  }

  /** Locks the record; several transactions may wait for each other. */
  lock(name: string): void {
    this.#locked.set(name, (this.#locked.get(name) ?? 0) + 1)
  }

  unlock(name: string): void {
    const left = (this.#locked.get(name) ?? 1) - 1
    if (left > 0) this.#locked.set(name, left)
    else this.#locked.delete(name)
  }

  /** Spoils a value of the record. */
  poison(name: string, poison: Poison): void {
    this.#poisoned.set(name, poison)
  }

  /** Repairs the record as `reset` does, and says which value was spoiled. */
  repair(name: string): Poison | undefined {
    const poison = this.#poisoned.get(name)
    this.#poisoned.delete(name)
    if (poison)
      this.#store.change?.(name, (record, now) => repairLock(name, { ...record, ...POISONS[poison] }, Math.floor(now)))
    return poison
  }

  /** The store's provider, with these records. */
  over(provider: LockProvider): LockProvider {
    return {
      ...provider,
      acquire: (requests) => this.#split(requests, provider.acquire),
      extend: (requests) => this.#split(requests, provider.extend),
      release: (requests) => this.#split(requests, provider.release),
      read: async (names) =>
        (await provider.read(names)).map((record) => {
          const poison = this.#poisoned.get(record.name)
          return poison && !('unreadable' in record)
            ? readRecord({ ...record, ...POISONS[poison] }, record.storeTime)
            : record
        }),
    }
  }

  async #split<Request extends { readonly name: string }, Result>(
    requests: readonly Request[],
    send: (requests: readonly Request[]) => Promise<readonly Settled<Result>[]>,
  ): Promise<readonly Settled<Result>[]> {
    const errors = requests.map(({ name }) => this.#errorOf(name))
    if (errors.every((error) => !error)) return send(requests)
    const rest = requests.filter((_, index) => !errors[index])
    const results = rest.length > 0 ? [...(await send(rest))] : []
    return errors.map((error) => error ?? (results.shift() as Settled<Result>))
  }

  #errorOf(name: string): Error | undefined {
    if (this.#locked.has(name)) return new RecordBusyError(name)
    const poison = this.#poisoned.get(name)
    if (!poison) return undefined
    try {
      // As providers do: the record as it is read passes through this check, and is decided by what comes out of it.
      this.#store.change?.(name, (record) => checkLock({ ...record, ...POISONS[poison] }))
      return undefined
    } catch (error) {
      return error as Error
    }
  }
}
