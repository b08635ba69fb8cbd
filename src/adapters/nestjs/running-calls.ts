import type { Locker, Outcome, WithLockOptions } from '../../locker/locker.ts'

type WithLock = Locker['withLock']

/** A locker that knows which of its calls are under way, so that a shutdown can wait for them. */
export class RunningCalls implements Pick<Locker, 'withLock'> {
  readonly #locker: Locker
  readonly #running = new Set<Promise<unknown>>()

  constructor(locker: Locker) {
    this.#locker = locker
  }

  withLock<T>(options: WithLockOptions, work: Parameters<WithLock>[1]): Promise<Outcome<T>> {
    const call = this.#locker.withLock(options, work) as Promise<Outcome<T>>
    this.#running.add(call)
    const ended = (): void => void this.#running.delete(call)
    call.then(ended, ended)
    return call
  }

  /** Resolves when none is under way any more, or after `ms` milliseconds. */
  async idleWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const time = new Promise<'time'>((resolve) => {
      timer = setTimeout(() => resolve('time'), Math.min(ms, 2 ** 31 - 1))
    })
    while (this.#running.size > 0) {
      if ((await Promise.race([time, Promise.allSettled(this.#running)])) === 'time') break
    }
    clearTimeout(timer)
  }
}
