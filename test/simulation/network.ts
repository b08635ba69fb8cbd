import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  ReleaseRequest,
  Settled,
} from '../../src/provider/contract.ts'
import { isUnreadable } from '../../src/provider/record.ts'
import type { NodeClock } from './node-clock.ts'
import type { Outage } from './outages.ts'
import type { Random } from './random.ts'
import type { Weather } from './scenario.ts'
import type { World } from './world.ts'

/** The store's side: whether it answers at all, and how fast. */
export interface StoreState {
  up: boolean
  /** Each message takes up to so many ms more. */
  slowBy: number
  /** Grows when the store restarts: what was under way fails. */
  connections: number
  readonly weather: Weather
}

export interface LinkOptions {
  readonly world: World
  readonly clock: NodeClock
  readonly random: Random
  readonly state: StoreState
  /** The node asks for acquisitions, whether that arrives or not. */
  readonly onAsk: (requests: readonly AcquireRequest[]) => void
  /** An answer about acquisitions has arrived at the node, after so many ms. */
  readonly onAnswer: (requests: readonly AcquireRequest[], results: readonly AcquireResult[], after: number) => void
  /** An answer about records has arrived at the node, after so many ms. */
  readonly onRead: (names: readonly string[], records: readonly LockRecord[], after: number) => void
  /** The node sends renewals, or releases, whether they arrive or not. */
  readonly onExtend: (
    requests: readonly ExtendRequest[],
    answer: Promise<readonly Settled<Lease | undefined>[]>,
  ) => void
  readonly onRelease: (requests: readonly ReleaseRequest[]) => void
}

/** A call waits no longer than this for its answer (`storeTimeout`), in ms; what it asked for may be in doubt for as long. */
const TIMEOUT = 5_000
/** An answer that came so soon tells the store's clock well, in ms. */
const SOON = 100

/** One process's way to the store: every call takes time both ways, and any message may be lost or late. */
export class Link {
  /** Packets vanish while it is cut. */
  cut = false
  /** When messages of this node were lost or late. */
  readonly troubles: Outage[] = []
  /** Since when, and when last, an answer told the store's clock well. */
  knowsTimeSince: number | undefined
  knewTimeAt: number | undefined
  knewTimeFirst: number | undefined
  /** Until then an answer may not yet count, since the wall clock was set. */
  doubtsUntil = 0
  readonly #options: LinkOptions

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The store as this node sees it. */
  over(store: LockProvider): LockProvider {
    return {
      ...store,
      acquire: (requests) => this.#acquire(store, requests),
      extend: (requests) => {
        const answer = this.#call(() => store.extend(requests))
        this.#options.onExtend(requests, answer)
        return answer
      },
      release: (requests) => {
        this.#options.onRelease(requests)
        return this.#call(() => store.release(requests))
      },
      read: (names) =>
        this.#call(
          () => store.read(names),
          (records, after) =>
            this.#options.onRead(
              names ?? [],
              records.filter((record): record is LockRecord => !isUnreadable(record)),
              after,
            ),
        ),
      close: async () => {},
    }
  }

  #acquire(store: LockProvider, requests: readonly AcquireRequest[]): ReturnType<LockProvider['acquire']> {
    const { onAsk, onAnswer } = this.#options
    onAsk(requests)
    return this.#call(
      () => store.acquire(requests),
      (results, after) => {
        const decided = requests.map((request, index) => ({ request, result: results[index] }))
        const kept = decided.filter(({ result }) => !(result instanceof Error))
        onAnswer(
          kept.map(({ request }) => request),
          kept.map(({ result }) => result as AcquireResult),
          after,
        )
      },
    )
  }

  #call<Answer>(apply: () => Promise<Answer>, onAnswer?: (answer: Answer, after: number) => void): Promise<Answer> {
    const { world, clock, random, state } = this.#options
    const sentAt = world.now
    return new Promise((resolve, reject) => {
      const reply = (act: () => void): void => void world.after(this.#latency(), () => clock.deliver(act))
      const fail = (why: string): void => reply(() => reject(new Error(why)))
      // What is cut off vanishes, or is refused by something on the way.
      const vanish = (why: string): void => (random.chance(0.5) ? fail(why) : undefined)
      if (this.cut || this.#trouble(state.weather.lostRequest)) return vanish('refused')
      const { connections } = state
      world.after(this.#latency(), () => {
        if (!state.up) return fail('the store is down')
        if (connections !== state.connections) return fail('the store has restarted')
        apply().then((answer) => {
          if (this.cut || this.#trouble(state.weather.lostReply)) return vanish('reset')
          reply(() => {
            if (world.now - sentAt <= SOON) this.#knowsTime()
            onAnswer?.(answer, world.now - sentAt)
            resolve(answer)
          })
        }, reject)
      })
    })
  }

  /** Somebody has set the wall clock: if the store can't be asked, it may count for so many ms. */
  doubtTime(ms: number): void {
    this.doubtsUntil = this.#options.world.now + ms
    this.knowsTimeSince = undefined
  }

  #knowsTime(): void {
    const { now } = this.#options.world
    this.knewTimeFirst ??= now
    if (now < this.doubtsUntil) return
    this.knewTimeAt = now
    this.knowsTimeSince ??= now
  }

  #trouble(chance: number, length = TIMEOUT): boolean {
    const { random, world } = this.#options
    if (chance === 0 || !random.chance(chance)) return false
    this.troubles.push({ from: world.now, until: world.now + length, why: 'network' })
    return true
  }

  #latency(): number {
    const { random, state } = this.#options
    const usual = 0.2 + random.float() * 3 + (state.slowBy > 0 ? random.float() * state.slowBy : 0)
    return this.#trouble(state.weather.slow, 10_000) ? 500 + random.float() * 9_000 : usual
  }
}
