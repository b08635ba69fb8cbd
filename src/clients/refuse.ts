import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

/** Refuses what is not the client that was expected. */
export function refuse(of: string, expected: string, value: unknown): never {
  throw new InvalidOptionError(`${of}: expected ${expected}, but got ${show(value)}`)
}

/** Refuses a transaction: what is decided inside it is seen by nobody else until it ends, and may be undone. */
export function refuseTransaction(of: string, isTransaction: unknown): void {
  if (isTransaction !== true) return
  throw new InvalidOptionError(
    `${of}: locks can't be kept inside a transaction, since no other node sees them; give the client itself`,
  )
}

/** Whether it has all these methods; functions may have methods, too. */
export const has = (value: unknown, ...methods: readonly string[]): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  methods.every((method) => typeof (value as unknown as Record<string, unknown>)[method] === 'function')
