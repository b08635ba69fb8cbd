/**
 * A list as PostgreSQL reads it from a text: clients that would have to know the types of parameters to send a list otherwise leave the reading to
 * the server, which does know them.
 */
export const arrayLiteral = (list: readonly unknown[]): string => `{${list.map(element).join(',')}}`

function element(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  return `"${String(value).replace(/["\\]/g, '\\$&')}"`
}

/** The values of a statement, with each list as a text. */
export const withoutLists = (values: readonly unknown[]): unknown[] =>
  values.map((value) => (Array.isArray(value) ? arrayLiteral(value) : value))
