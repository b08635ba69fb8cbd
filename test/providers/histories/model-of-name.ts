import { isDeepStrictEqual } from 'node:util'
import type { LockRecord } from '../../../src/provider/contract.ts'
import { readAll } from '../../../src/testing/requests.ts'
import { type SimulatedStore, type StoreKind, simulatedStore } from '../../simulation/stores/index.ts'
import { type ObservedRequest, plainRecord } from './observed-request.ts'

interface Done {
  readonly deed: ObservedRequest
  readonly at: number
}

/**
 * What a store's model has for one name. Names have nothing to do with each other, so each has a model of its own; it can go back to where
 * it was, to try what a request does at another moment.
 */
export class ModelOfName {
  readonly #name: string
  readonly #kind: StoreKind
  readonly #done: Done[] = []
  #now = 0
  #store: SimulatedStore

  constructor(kind: StoreKind, name: string) {
    this.#kind = kind
    this.#name = name
    this.#store = this.#newStore()
  }

  /** Nothing is left of it. */
  lose(): void {
    this.#done.length = 0
    this.#store = this.#newStore()
  }

  /** The record at this time by the store's clock. */
  async read(at: number): Promise<LockRecord | undefined> {
    this.#now = at
    return (await readAll(this.#store.provider, [this.#name]))[0]
  }

  /**
   * Does what the real store did, at moments at which all answers, and the record afterwards, are the same. Answers why there are no such
   * moments, by the first that were tried.
   */
  async settle(
    deeds: readonly ObservedRequest[],
    after: LockRecord | undefined,
    readAt: number,
  ): Promise<string | undefined> {
    let why: string | undefined
    for (const moments of choices(deeds.map((deed) => deed.moments))) {
      const done = deeds.map((deed, index): Done => ({ deed, at: moments[index] as number }))
      const wrong = await this.#try(done, after, readAt)
      if (!wrong) {
        this.#done.push(...done)
        return undefined
      }
      why ??= wrong
      await this.#goBack()
    }
    return why ?? 'it answered with a time by the store’s clock that is not between those before and after the call'
  }

  async #try(done: readonly Done[], after: LockRecord | undefined, readAt: number): Promise<string | undefined> {
    for (const { deed, at } of done) {
      const expected = await this.#do({ deed, at })
      if (isDeepStrictEqual(deed.answer, expected) || deed.excuse?.(expected)) continue
      return `answered ${JSON.stringify(deed.answer)}, but should have (at ${at}) ${JSON.stringify(expected)}`
    }
    const expected = plainRecord(await this.read(readAt))
    const actual = plainRecord(after)
    if (isDeepStrictEqual(actual, expected)) return undefined
    return `left (at ${readAt}) ${JSON.stringify(actual)}, but should have ${JSON.stringify(expected)}`
  }

  #do({ deed, at }: Done): Promise<unknown> {
    this.#now = at
    return deed.on(this.#store.provider)
  }

  async #goBack(): Promise<void> {
    this.#store = this.#newStore()
    for (const done of this.#done) await this.#do(done)
  }

  #newStore(): SimulatedStore {
    return simulatedStore(this.#kind, { now: () => this.#now, random: () => 0 })
  }
}

/** One of each list, in all combinations, the first of each first. */
function* choices<Item>(lists: readonly (readonly Item[])[]): Generator<readonly Item[]> {
  const [first, ...rest] = lists
  if (!first) return yield []
  for (const item of first) for (const others of choices(rest)) yield [item, ...others]
}
