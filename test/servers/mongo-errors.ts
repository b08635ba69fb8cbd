import type { BSON } from 'bson'

/** The SQLSTATEs that tests may meet, as MongoDB's code and its name. DocumentDB's own begin with M. */
const CODES: Readonly<Record<string, readonly [code: number, name: string]>> = {
  M0001: [2, 'BadValue'],
  M0003: [9, 'FailedToParse'],
  M0004: [14, 'TypeMismatch'],
  M0008: [26, 'NamespaceNotFound'],
  M0009: [27, 'IndexNotFound'],
  M000A: [28, 'PathNotViable'],
  M000D: [40, 'ConflictingUpdateOperators'],
  M000E: [43, 'CursorNotFound'],
  M000F: [48, 'NamespaceExists'],
  M000G: [52, 'DollarPrefixedFieldName'],
  M000M: [66, 'ImmutableField'],
  M000N: [67, 'CannotCreateIndex'],
  M000P: [72, 'InvalidOptions'],
  M000Q: [73, 'InvalidNamespace'],
  M000R: [85, 'IndexOptionsConflict'],
  M000S: [86, 'IndexKeySpecsConflict'],
  M0013: [224, 'QueryFeatureNotAllowed'],
  M001C: [11000, 'DuplicateKey'],
  '23505': [11000, 'DuplicateKey'],
  '40001': [112, 'WriteConflict'],
  '40P01': [112, 'WriteConflict'],
  '57014': [50, 'MaxTimeMSExpired'],
}

/** What MongoDB answers to a command that failed with this SQLSTATE. */
export function errorReply(sqlState: string, message: string): BSON.Document {
  const [code, codeName] = CODES[sqlState] ?? [1, 'InternalError']
  const prefix = code === 11000 ? 'E11000 ' : ''
  const suffix = sqlState in CODES ? '' : ` (SQLSTATE ${sqlState})`
  return { ok: 0, errmsg: `${prefix}${message}${suffix}`, code, codeName }
}

/** DocumentDB gives each failed write of a batch a code that is a packed SQLSTATE: puts MongoDB's in its place. */
export function withMongoCodes(reply: BSON.Document): BSON.Document {
  const writeErrors = reply.writeErrors as readonly { code: number; errmsg: string }[] | undefined
  if (!writeErrors) return reply
  const translated = writeErrors.map((error) => {
    const { code, errmsg } = errorReply(unpackSqlState(error.code), error.errmsg)
    return { ...error, code, errmsg }
  })
  return { ...reply, writeErrors: translated }
}

/** PostgreSQL packs the five characters into six bits each, the first one lowest. */
function unpackSqlState(packed: number): string {
  return [0, 6, 12, 18, 24].map((shift) => String.fromCharCode(((packed >> shift) & 63) + 48)).join('')
}
