import type { LockProvider } from '../../src/provider/contract.ts'
import type { NodeClock } from './node-clock.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** How bad the network is. Each is the chance for one message. */
export interface Weather {
  readonly lostRequest: number
  readonly lostReply: number
  /** The reply, or the request, takes seconds. */
  readonly slow: number
}

/** The store's side: whether it answers at all. */
export interface Reachability {
  storeUp: boolean
}

/** One node's way to the store: every call takes time both ways, and any message may be lost or late. */
export class Link {
  /** Packets vanish while it is cut. */
  cut = false
  /** Until when the last trouble of a message made this link unfit to blame anybody for a tick that was missed. */
  troubledUntil = 0
  readonly #world: World
  readonly #clock: NodeClock
  readonly #random: Random
  readonly #weather: Weather
  readonly #reach: Reachability

  constructor(world: World, clock: NodeClock, random: Random, weather: Weather, reach: Reachability) {
    this.#world = world
    this.#clock = clock
    this.#random = random
    this.#weather = weather
    this.#reach = reach
  }

  /** The store as this node sees it. */
  over(store: LockProvider): LockProvider {
    return {
      ...store,
      acquire: (requests) => this.#call(() => store.acquire(requests)),
      extend: (requests) => this.#call(() => store.extend(requests)),
      release: (requests) => this.#call(() => store.release(requests)),
      read: (names) => this.#call(() => store.read(names)),
      close: async () => {},
    }
  }

  #call<Answer>(apply: () => Promise<Answer>): Promise<Answer> {
    const world = this.#world
    return new Promise((resolve, reject) => {
      const reply = (act: () => void): void => void world.after(this.#latency(), () => this.#clock.deliver(act))
      const fail = (why: string): void => reply(() => reject(new Error(why)))
      // A request that is cut off vanishes; one that the network refuses says so.
      if (this.cut || this.#trouble(this.#weather.lostRequest))
        return this.#random.chance(0.5) ? fail('refused') : undefined
      world.after(this.#latency(), () => {
        if (!this.#reach.storeUp) return fail('the store is down')
        apply().then((answer) => {
          if (this.cut || this.#trouble(this.#weather.lostReply))
            return this.#random.chance(0.5) ? fail('reset') : undefined
          reply(() => resolve(answer))
        }, reject)
      })
    })
  }

  #trouble(chance: number): boolean {
    if (!this.#random.chance(chance)) return false
    this.troubledUntil = this.#world.now + 7_000
    return true
  }

  #latency(): number {
    if (!this.#trouble(this.#weather.slow)) return 0.2 + this.#random.float() * 3
    return 500 + this.#random.float() * 9_000
  }
}
