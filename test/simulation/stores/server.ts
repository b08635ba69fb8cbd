import type { StoreWorld } from './store.ts'

/** One server of a store: its clock, and its life from one crash to the next. */
export class Server {
  readonly #world: StoreWorld
  readonly #clock: 'microseconds' | 'milliseconds'
  #ahead = 0
  #life = 0

  constructor(world: StoreWorld, clock: 'microseconds' | 'milliseconds') {
    this.#world = world
    this.#clock = clock
  }

  /** The server's clock, in ms since the epoch. */
  now(): number {
    const micros = Math.round((this.#world.now() + this.#ahead) * 1_000)
    return this.#clock === 'microseconds' ? micros / 1_000 : Math.floor(micros / 1_000)
  }

  /** Others may come in between here. @throws when the server crashed meanwhile, as a connection does that was cut. */
  async pause(): Promise<void> {
    if (!this.#world.between) return
    const life = this.#life
    await this.#world.between()
    if (this.#life !== life) throw new Error('the server went away')
  }

  crash(): void {
    this.#life++
  }

  /** Another machine is the server from now on. */
  replace(): void {
    this.#life++
    this.#ahead = (this.#world.random() * 2 - 1) * (this.#world.clocksApart ?? 0)
  }
}
