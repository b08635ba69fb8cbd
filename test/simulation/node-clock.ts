import type { Clock, Timer } from '../../src/clock.ts'
import type { World } from './world.ts'

/** One machine's clocks: off by some time, running a little fast or slow, set by somebody on the way; and a process that may be paused or killed. */
export class NodeClock implements Clock {
  readonly #world: World
  readonly #bornAt: number
  /** How fast this machine's clocks run: 1.0001 gains 100 ppm. */
  readonly #speed: number
  #wallAhead: number
  #paused = false
  #dead = false
  readonly #held: (() => void)[] = []

  constructor(world: World, wallAhead: number, speed: number) {
    this.#world = world
    this.#bornAt = world.now
    this.#wallAhead = wallAhead
    this.#speed = speed
  }

  monotonic(): number {
    return 1_000 + (this.#world.now - this.#bornAt) * this.#speed
  }

  now(): number {
    return this.#bornAt + this.#wallAhead + (this.#world.now - this.#bornAt) * this.#speed
  }

  setTimer(ms: number, callback: () => void): Timer {
    // As Node.js sets timers: in whole milliseconds, from 1.
    const whole = Math.max(1, Math.ceil(ms))
    return { cancel: this.#world.after(whole / this.#speed, () => this.deliver(callback)) }
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallAhead += ms
  }

  get paused(): boolean {
    return this.#paused
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Calls back now, or when the process goes on, or never if it was killed. */
  deliver(callback: () => void): void {
    if (this.#dead) return
    if (this.#paused) this.#held.push(callback)
    else callback()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (this.#dead) return
    this.#paused = false
    // One after another, each with what it sets off, as the event loop has it.
    for (const callback of this.#held.splice(0)) this.#world.after(0, () => this.deliver(callback))
  }

  kill(): void {
    this.#dead = true
    this.#held.length = 0
  }
}
