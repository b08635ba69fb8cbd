import { AsyncLocalStorage } from 'node:async_hooks'

/** A run, or a callback of `beforeClose`, of one scheduler, for as long as it goes on. */
interface Scope {
  readonly of: RunScopes
  readonly outer: Scope | undefined
}

// Carries what surrounds a call down its own calls; nothing is shared between two pieces of work or two schedulers.
const scopes = new AsyncLocalStorage<Scope>()

/** Knows from inside which runs of a scheduler a call comes: whatever waits for them must not wait for those. */
export class RunScopes {
  readonly #open = new Set<Scope>()
  /** Those from which somebody waits for the others to end. */
  readonly #waiting = new Set<Scope>()
  readonly #whenFewer = new Set<() => void>()

  /** Calls the work so that {@link RunScopes.isInside} is true in it and in all that it calls, until it has ended. */
  async run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const scope: Scope = { of: this, outer: scopes.getStore() }
    this.#open.add(scope)
    try {
      return await scopes.run(scope, work)
    } finally {
      this.#open.delete(scope)
      this.#waiting.delete(scope)
      this.#changed()
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
    for (let scope = scopes.getStore(); scope; scope = scope.outer) if (this.#open.has(scope)) own.push(scope)
    return own
  }
}
