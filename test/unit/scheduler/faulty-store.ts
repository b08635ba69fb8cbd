import { sleep } from '../../../src/clock.ts'
import type { LockProvider } from '../../../src/provider/contract.ts'
import type { ManualClock } from '../../../src/testing/manual-clock.ts'

export type Verb = 'acquire' | 'extend' | 'release' | 'read' | 'close'

/**
 * How a verb behaves: `'up'`; `'down'`: fails, and nothing was done; `'hang'`: never answers, and nothing was done; `'lose'`: is done, and then
 * the reply never comes; a number: is done at once, and answers after so many ms; `{ delivered }`: is done after so many ms.
 */
export type Fault = 'up' | 'down' | 'hang' | 'lose' | number | { readonly delivered: number }

export interface Call {
  readonly verb: Verb
  readonly at: number
  readonly batch: readonly { readonly name?: string; readonly owner?: string; readonly tick?: number | undefined }[]
}

/** One node's way to a store, which can be made to fail. */
export class FaultyStore implements LockProvider {
  readonly calls: Call[] = []
  readonly #faults = new Map<Verb, Fault>()
  readonly #store: LockProvider
  readonly #clock: ManualClock

  constructor(store: LockProvider, clock: ManualClock) {
    this.#store = store
    this.#clock = clock
  }

  set(fault: Fault, ...verbs: readonly Verb[]): void {
    for (const verb of verbs.length > 0 ? verbs : (['acquire', 'extend', 'release', 'read', 'close'] as const))
      this.#faults.set(verb, fault)
  }

  /** The calls of that verb, without those that only read the store's clock. */
  callsOf(verb: Verb): Call[] {
    return this.calls.filter((call) => call.verb === verb && !isClockReading(call))
  }

  acquire: LockProvider['acquire'] = (batch) => this.#call('acquire', batch, () => this.#store.acquire(batch))
  extend: LockProvider['extend'] = (batch) => this.#call('extend', batch, () => this.#store.extend(batch))
  release: LockProvider['release'] = (batch) => this.#call('release', batch, () => this.#store.release(batch))
  read: LockProvider['read'] = (names = []) =>
    this.#call(
      'read',
      names.map((name) => ({ name })),
      () => this.#store.read(names),
    )
  forceRelease: LockProvider['forceRelease'] = (name) => this.#store.forceRelease(name)
  reset: LockProvider['reset'] = (request) => this.#store.reset(request)
  prune: LockProvider['prune'] = (olderThanMs) => this.#store.prune(olderThanMs)
  setPaused: NonNullable<LockProvider['setPaused']> = async (request) =>
    (await this.#store.setPaused?.(request)) === true
  close: LockProvider['close'] = () => this.#call('close', [], () => this.#store.close())

  async #call<T>(verb: Verb, batch: Call['batch'], call: () => Promise<T>): Promise<T> {
    this.calls.push({ verb, at: this.#clock.now(), batch })
    const fault = this.#faults.get(verb) ?? 'up'
    if (fault === 'down') throw new Error('connect ECONNREFUSED')
    if (fault === 'hang') return new Promise(() => {})
    if (typeof fault === 'object' && 'delivered' in fault) await sleep(this.#clock, fault.delivered)
    const answer = await call()
    if (fault === 'lose') return new Promise(() => {})
    if (typeof fault === 'number') await sleep(this.#clock, fault)
    return answer
  }
}

const FAR = Date.UTC(8000, 0)
const isClockReading = ({ batch }: Call): boolean => batch.length > 0 && batch.every(({ tick }) => (tick ?? 0) > FAR)
