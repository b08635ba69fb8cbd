/* The calls under way: how many, for how long, and what of their failures is logged. */
import { isStoreError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { WireError, WireErrorCode } from '../provider/wire.ts'
import { NotSupportedError } from './verbs.ts'

/** Failures of the store are logged at most so often, in ms: while it is down every call of every node fails. */
const LOG_EVERY = 5_000

/** A call failed as a whole. The message goes to the client. */
export class CallError extends Error {
  readonly code: WireErrorCode

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export class Calls {
  readonly #most: number
  readonly #logger: Logger | undefined
  readonly #onCount: ((count: number) => void) | undefined
  #underWay = 0
  #loggedAt = Number.NEGATIVE_INFINITY
  #unlogged = 0

  constructor(most: number, logger: Logger | undefined, onCount: ((count: number) => void) | undefined) {
    this.#most = most
    this.#logger = logger
    this.#onCount = onCount
  }

  /** Does the work of one call. One too many is refused before its body is read. */
  async one<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay >= this.#most) throw new CallError('BUSY', 'the server has too many calls under way; try again')
    this.#count(1)
    try {
      return await work()
    } finally {
      this.#count(-1)
    }
  }

  /** The error of a call as the client sees it. A store's message may name hosts and users: it is in the log and in no response. */
  wireErrorOf(error: unknown, verb: string): WireError {
    if (error instanceof CallError) return { code: error.code, message: error.message }
    if (error instanceof NotSupportedError) return { code: 'NOT_SUPPORTED', message: error.message }
    this.#log(error, verb)
    return { code: 'STORE', message: `the store behind this server failed; the log of the server says why` }
  }

  #count(by: 1 | -1): void {
    this.#underWay += by
    this.#onCount?.(this.#underWay)
  }

  #log(err: unknown, verb: string): void {
    const now = performance.now()
    if (now - this.#loggedAt < LOG_EVERY) {
      this.#unlogged++
      return
    }
    const more = this.#unlogged > 0 ? `; ${this.#unlogged} more failed since the last such line` : ''
    this.#loggedAt = now
    this.#unlogged = 0
    try {
      this.#logger?.warn?.({ err, verb }, `${isStoreError(err) ? 'the store failed' : 'a call failed'}${more}`)
    } catch {
      // A logger that throws changes no response.
    }
  }
}

/** The result, or a {@link CallError} when it has not come in time. The work goes on: its result is unknown then. */
export async function withDeadline<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new CallError('TIMEOUT', `the store behind this server did not respond within ${Math.round(ms)} ms`)),
      ms,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
