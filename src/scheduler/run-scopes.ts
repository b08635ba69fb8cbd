import type { Lock } from '../lock/lock.ts'
import { currentScope, runInScope, type Scope } from '../locker/current-lock.ts'

/** Knows from inside which runs of a scheduler a call comes: whatever waits for them must not wait for those. */
export class RunScopes {
  readonly #open = new Set<Scope>()
  /** Those from which somebody waits for the others to end. */
  readonly #waiting = new Set<Scope>()
  readonly #whenFewer = new Set<() => void>()

  /** Begins a run. What is called by `runInScope` is inside it, until {@link RunScopes.leave} is called. */
  enter(lock: Lock | undefined): Scope {
    const scope: Scope = { lock, outer: currentScope() }
    this.#open.add(scope)
    return scope
  }

  leave(scope: Scope): void {
    this.#open.delete(scope)
    this.#waiting.delete(scope)
    if (this.#whenFewer.size > 0) this.#changed()
  }

  /** Calls the work so that {@link RunScopes.isInside} is true in it and in all that it calls, until it has ended. */
  async run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const scope = this.enter(undefined)
    try {
      return await runInScope(scope, work)
    } finally {
      this.leave(scope)
    }
  }

  /** Whether the caller's own work is one that goes on here. */
  get isInside(): boolean {
    return this.#own().length > 0
  }

  /** Resolves when none goes on but those around the caller and those that wait here too. */
  async othersEnded(): Promise<void> {
    for (const scope of this.#own()) this.#waiting.add(scope)
    this.#changed()
    while ([...this.#open].some((scope) => !this.#waiting.has(scope)))
      await new Promise<void>((resolve) => this.#whenFewer.add(resolve))
  }

  #changed(): void {
    const resolves = [...this.#whenFewer]
    this.#whenFewer.clear()
    for (const resolve of resolves) resolve()
  }

  #own(): Scope[] {
    const own: Scope[] = []
    for (let scope = currentScope(); scope; scope = scope.outer) if (this.#open.has(scope)) own.push(scope)
    return own
  }
}
