import { hostname } from 'node:os'
import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { cutLabel, MAX_LABEL } from '../provider/holder.ts'

/** How this process is called in the store and in the events of others, for people: `host:pid`. Decides nothing. */
export const defaultLabel = (): string => cutLabel(`${hostname()}:${process.pid}`)

/** Checks a label that the user gives. */
export function checkLabel(label: unknown, of: string): string {
  if (typeof label === 'string' && label.length >= 1 && label.length <= MAX_LABEL && !/[\0\p{Surrogate}]/u.test(label))
    return label
  throw new InvalidOptionError(`${of}: label must be a text of 1 to ${MAX_LABEL} characters, but is ${show(label)}`)
}
