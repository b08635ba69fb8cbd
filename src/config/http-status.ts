import type { HttpStatus } from './config.ts'
import type { StatusRange } from './plan.ts'

/** Reads `204`, `'204'` or `'2xx'`; `undefined` for anything else. */
export function readStatus(status: HttpStatus): StatusRange | undefined {
  const [, digit, exact] = /^(?:([1-5])xx|([1-5]\d\d))$/i.exec(String(status)) ?? []
  if (exact !== undefined) return [Number(exact), Number(exact)]
  return digit === undefined ? undefined : [Number(digit) * 100, Number(digit) * 100 + 99]
}
