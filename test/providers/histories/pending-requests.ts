import { isRecordBusy } from '../../../src/errors.ts'

/** So many histories may end early beyond the twentieth part of them: on a machine that is stopped for seconds some do at once. */
const ALWAYS_ALLOWED = 20

/**
 * Lets histories end in which a call timed out: clients give up a server that is silent for some seconds, as servers are on a machine that is
 * much too busy. Such a history shows nothing, and isn't counted. A store that is silent often has failed.
 */
export class PendingRequests {
  #ended = 0
  #histories = 0

  /** Runs a history; answers undefined when a call timed out. */
  async unless<Answer>(run: () => Promise<Answer>): Promise<{ readonly answer: Answer } | undefined> {
    this.#histories++
    try {
      return { answer: await run() }
    } catch (error) {
      if (!isTimeout(error) || ++this.#ended > ALWAYS_ALLOWED + this.#histories / 20) throw error
      return undefined
    }
  }
}

/**
 * On a busy machine a server seems to have locked a record whose change takes too long. Each client has words of its
 * own; ioredis closes a connection that is silent, and says that it does not retry.
 */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error &&
  (isRecordBusy(error) ||
    /timed? ?out|did not (answer|respond) within|max retries per request|isn't writeable/i.test(
      `${error.name} ${error.message}`,
    ) ||
    isTimeout(error.cause))
