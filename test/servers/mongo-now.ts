import { BSON } from 'bson'

const NOW = '$$NOW'

/** True when the command may hold `$$NOW`. */
export function mentionsNow(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(NOW)
}

/**
 * Puts the time in the place of `$$NOW` in filters, updates and projections. DocumentDB refuses it in the first, and in an upsert that
 * loses the race to create its document; and it rounds its own reading to milliseconds in another way than we do. MongoDB fixes one value
 * when a command begins too, so no meaning changes.
 */
export function bindNow(bytes: Uint8Array, now: Date): Uint8Array {
  const command = BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true })
  for (const operation of [command, ...(command.updates ?? []), ...(command.deletes ?? [])]) {
    for (const filter of [operation.q, operation.query, operation.filter]) bindFilter(filter, now)
    // A pipeline holds expressions; in any other update the string is only a string.
    if (Array.isArray(operation.u)) operation.u = bound(operation.u, now)
    if (Array.isArray(operation.update)) operation.update = bound(operation.update, now)
  }
  if (command.fields) command.fields = bound(command.fields, now)
  for (const stage of command.pipeline ?? []) {
    bindFilter(stage.$match, now)
    if (stage.$project) stage.$project = bound(stage.$project, now)
  }
  return BSON.serialize(command)
}

function bindFilter(filter: BSON.Document | undefined, now: Date): void {
  if (filter?.$expr !== undefined) filter.$expr = bound(filter.$expr, now)
}

function bound(expression: unknown, now: Date): unknown {
  if (expression === NOW) return { $literal: now }
  if (Array.isArray(expression)) return expression.map((item) => bound(item, now))
  if (!isDocument(expression) || '$literal' in expression) return expression
  return Object.fromEntries(Object.entries(expression).map(([key, value]) => [key, bound(value, now)]))
}

/** Not a date, nor one of BSON's own types. */
function isDocument(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !('_bsontype' in value)
}
