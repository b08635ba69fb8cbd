/** A string whose plain order is the order that people expect of names: digits count as numbers, upper and lower case as one. */
export const naturalKey = (name: string): string =>
  name.toLowerCase().replace(/\d+/g, (digits) => {
    const number = digits.replace(/^0+(?=\d)/, '')
    // A longer number is a larger one.
    return String.fromCharCode(0x30 + number.length) + number
  })

/** Names in natural order: `job-2` before `job-10`. */
export function inNaturalOrder(names: Iterable<string>): string[] {
  const keyed = Array.from(names, (name) => ({ name, key: naturalKey(name) }))
  keyed.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name))
  return keyed.map(({ name }) => name)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
