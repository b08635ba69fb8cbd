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
  #asleepSince: number | undefined
  /** How long the machine slept before, in ms of true time. */
  #slept = 0
  #dead = false
  readonly #held: (() => void)[] = []

  constructor(world: World, wallAhead: number, speed: number) {
    this.#world = world
    this.#bornAt = world.now
    this.#wallAhead = wallAhead
    this.#speed = speed
  }

  monotonic(): number {
    return 1_000 + (this.#world.now - this.#bornAt - this.#asleep) * this.#speed
  }

  now(): number {
    return this.#bornAt + this.#wallAhead + (this.#world.now - this.#bornAt) * this.#speed
  }

  setTimer(ms: number, callback: () => void): Timer {
    // As Node.js sets timers: in whole milliseconds, from 1.
    const whole = Math.max(1, Math.ceil(ms))
    let asleep = this.#asleep
    let cancel: () => void
    const fire = (): void => {
      const slept = this.#asleep - asleep
      asleep += slept
      if (slept > 0) cancel = this.#world.after(slept, fire)
      else this.deliver(callback)
    }
    cancel = this.#world.after(whole / this.#speed, fire)
    return { cancel: () => cancel() }
  }

  /** How long the machine slept until now, in ms of true time. */
  get #asleep(): number {
    return this.#slept + (this.#asleepSince === undefined ? 0 : this.#world.now - this.#asleepSince)
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallAhead += ms
  }

  /** Nothing runs: the process stands still, or the machine sleeps. */
  get paused(): boolean {
    return this.#paused || this.#asleepSince !== undefined
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Calls back now, or when the process goes on, or never if it was killed. */
  deliver(callback: () => void): void {
    if (this.#dead) return
    if (this.paused) this.#held.push(callback)
    else callback()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#goOn()
  }

  /** The machine sleeps: nothing runs, and the monotonic clock stands still. The wall clock goes on. */
  suspend(): void {
    this.#asleepSince ??= this.#world.now
  }

  wake(): void {
    this.#slept = this.#asleep
    this.#asleepSince = undefined
    this.#goOn()
  }

  #goOn(): void {
    if (this.#dead || this.paused) return
    // One after another, each with what it sets off, as the event loop has it.
    for (const callback of this.#held.splice(0)) this.#world.after(0, () => this.deliver(callback))
  }

  kill(): void {
    this.#dead = true
    this.#held.length = 0
  }
}
