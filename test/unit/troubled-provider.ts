import { memory } from '../../providers/memory/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import type { ManualClock } from '../../src/testing/index.ts'

type Verb = 'acquire' | 'extend' | 'release' | 'read'

/** What happens to one call: its request, or its reply, or both. */
export type Trouble =
  /** The request never arrives, and no reply comes. */
  | { readonly kind: 'black-hole' }
  /** The request never arrives, and the client says so. */
  | { readonly kind: 'refused-connection' }
  /** The request is applied, and the reply is lost. */
  | { readonly kind: 'lost-reply' }
  /** The request is applied at once, the reply takes its time. */
  | { readonly kind: 'late-reply'; readonly after: number }
  /** The request is held up on its way, and applied then. */
  | { readonly kind: 'late-request'; readonly after: number }

export interface TroubledProvider extends LockProvider {
  readonly locks: ReadonlyMap<string, StoredLock>
  /** Every call that was made: the verb and how many requests it had. */
  readonly calls: { readonly verb: Verb; readonly size: number }[]
  /** The next calls of this verb meet these troubles, one after another. */
  meets(verb: Verb, ...troubles: readonly Trouble[]): void
  /** All calls of every verb fail until told otherwise. */
  down: boolean
}

/** The memory provider behind a network that does what it is told. Its clock is the given one's wall clock unless `now` says otherwise. */
export function troubledProvider(clock: ManualClock, now: () => number = () => clock.now()): TroubledProvider {
  const store = memory({ now })
  const troubles: Record<Verb, Trouble[]> = { acquire: [], extend: [], release: [], read: [] }
  const calls: TroubledProvider['calls'] = []
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve))

  const through = async <T>(verb: Verb, size: number, call: () => Promise<T>): Promise<T> => {
    calls.push({ verb, size })
    const trouble = troubles[verb].shift()
    if (provider.down || trouble?.kind === 'refused-connection') throw new Error('connection refused')
    if (!trouble) return call()
    if (trouble.kind === 'black-hole') return new Promise<never>(() => {})
    if (trouble.kind === 'late-request') await wait(trouble.after)
    const answer = await call()
    if (trouble.kind === 'lost-reply') throw new Error('connection reset')
    if (trouble.kind === 'late-reply') await wait(trouble.after)
    return answer
  }

  const provider: TroubledProvider = {
    ...store,
    calls,
    down: false,
    meets: (verb, ...added) => void troubles[verb].push(...added),
    acquire: (requests) => through('acquire', requests.length, () => store.acquire(requests)),
    extend: (requests) => through('extend', requests.length, () => store.extend(requests)),
    release: (requests) => through('release', requests.length, () => store.release(requests)),
    read: (names) => through('read', names?.length ?? 0, () => store.read(names)),
  }
  return provider
}
