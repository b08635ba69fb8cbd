import type { LockProvider } from '../../src/index.ts'

/** A call that a provider made of its client, to be made again by nobody but the client itself. */
export type Call = () => Promise<unknown>

/** A store to measure on: a provider, and the client under it. */
export interface MeasuredStore {
  readonly name: string
  readonly provider: LockProvider
  /** How many connections its client has: as many commands are under way at most. */
  readonly connections: number
  /** The calls that the provider makes of its client during the work. */
  record(work: () => Promise<unknown>): Promise<readonly Call[]>
  /** Drops the records of all names. */
  forget(): Promise<unknown>
  /** Reads a record by its primary key, with the client alone. */
  readOne(name: string): Promise<unknown>
  /** How much the server has written to its log, in bytes; undefined where it can't be asked. */
  written?(): Promise<number>
  close(): Promise<unknown>
}

/** A client whose calls of these methods are noted while somebody records. */
export class Recorder<Client extends object> {
  readonly client: Client
  #calls: Call[] | undefined

  constructor(client: Client, methods: readonly string[]) {
    this.client = new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (!methods.includes(String(property))) return value.bind(target)
        return (...args: unknown[]) => {
          const call: Call = () => value.apply(target, args)
          this.note(call)
          return call()
        }
      },
    })
  }

  get recording(): boolean {
    return this.#calls !== undefined
  }

  note(call: Call): void {
    this.#calls?.push(call)
  }

  /** @throws when there was none: the provider then asks its client in a way that isn't noted, and there is no floor to compare with. */
  async record(work: () => Promise<unknown>): Promise<readonly Call[]> {
    const calls: Call[] = []
    this.#calls = calls
    try {
      await work()
    } finally {
      this.#calls = undefined
    }
    if (calls.length === 0) throw new Error('no call of the client was noted: the floor to compare with is missing')
    return calls
  }
}
