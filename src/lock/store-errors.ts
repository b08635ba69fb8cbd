/* What the errors of a store say, and whom they concern. */
import { StoreError } from '../errors.ts'
import type { Settled } from '../provider/contract.ts'

/** What was requested, for the message of a failure. Made only then: thousands of locks are requested at once. */
export type What = () => string

export type Verb = 'acquire' | 'extend' | 'release' | 'read'

export const about =
  (verb: Verb, name: string): What =>
  () =>
    `${verb} lock ${JSON.stringify(name)}`

export const aboutAll =
  (verb: Verb, requests: readonly { readonly name: string }[]): What =>
  () => {
    const [first] = requests
    if (first === undefined) return `${verb} no lock`
    return requests.length === 1
      ? about(verb, first.name)()
      : `${verb} ${requests.length} locks such as ${JSON.stringify(first.name)}`
  }

const singleRequestErrors = new WeakSet<object>()

/** Whether a request failed alone: the store responded, and decided the others. */
export const isSingleRequestError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && singleRequestErrors.has(error)

/** Marks the error of a request that failed alone. */
export const markSingleRequestError = (error: object): void => void singleRequestErrors.add(error)

/** A request that failed alone fails with an error that names it. */
export function toOwnError<Result>(verb: Verb, name: string | undefined, result: Settled<Result>): Settled<Result> {
  if (!(result instanceof Error) || name === undefined) return result
  const error = toStoreError(about(verb, name)(), result)
  markSingleRequestError(error)
  return error
}

export function toStoreError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const why = error instanceof Error && error.message ? error.message : String(error)
  return new StoreError(`could not ${what}: ${why}`, { cause: error })
}
