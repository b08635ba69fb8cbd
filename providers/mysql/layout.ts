/*
 * What the provider has to know of the table before it can use it: a table made by ShedLock, or by hand, may have names of
 * another character set and other types of time than ours.
 */
import { show } from '../../src/duration.ts'
import { StoreError } from '../../src/errors.ts'
import { bytes, type Session, select } from './client.ts'

export interface Layout {
  readonly name: TextColumn
  readonly lockedBy: TextColumn
  readonly metadata: TextColumn
  /** The digits that the columns of time keep of a second, 0 to 6. */
  readonly precision: number
  /** Columns of type TIMESTAMP end in January 2038. */
  readonly isTimestamp: boolean
  readonly isMariaDb: boolean
}

export interface TextColumn {
  readonly charset: string
  readonly collation: string
  /** In characters. */
  readonly length: number
  /** In bytes. */
  readonly size: number
}

export const COLUMN_NAMES = [
  'name',
  'lock_until',
  'locked_at',
  'locked_by',
  'fencing_token',
  'last_tick',
  'tick_done',
  'metadata',
  'paused',
] as const

export type ColumnName = (typeof COLUMN_NAMES)[number]

type Columns = ReadonlyMap<string, readonly unknown[]>

const COLUMNS_OF = `SELECT column_name, character_set_name, collation_name, character_maximum_length, character_octet_length, data_type,
    datetime_precision, VERSION()
  FROM information_schema.columns
  WHERE table_schema = COALESCE(NULLIF(CONVERT(? USING utf8mb4), ''), DATABASE()) AND table_name = CONVERT(? USING utf8mb4)`

/** The columns that the table has, by their names in lower case. None when there is no table. */
export async function columnsOf(session: Session, table: string): Promise<Columns> {
  const [name = '', database = ''] = table.split('.').reverse()
  const rows = await select(session, COLUMNS_OF, [bytes(database), bytes(name)])
  return new Map(rows.map((row) => [String(row[0]).toLowerCase(), row]))
}

/** The layout of the table, or `undefined` when it is missing or lacks columns. */
export async function layoutOf(session: Session, table: string): Promise<Layout | undefined> {
  const columns = await columnsOf(session, table)
  if (COLUMN_NAMES.some((column) => !columns.has(column))) return undefined
  const column = (name: ColumnName): readonly unknown[] => columns.get(name) ?? []
  for (const [name, types] of Object.entries(TYPES)) checkType(column(name as ColumnName), types)
  const times = [column('lock_until'), column('locked_at')]
  return {
    name: textColumn(column('name')),
    lockedBy: textColumn(column('locked_by')),
    metadata: textColumn(column('metadata')),
    precision: Math.min(...times.map(([, , , , , , precision]) => Number(precision))),
    isTimestamp: times.some(([, , , , , type]) => String(type) === 'timestamp'),
    isMariaDb: String(column('name')[7]).includes('MariaDB'),
  }
}

const TIME = ['datetime', 'timestamp']
const FLAG = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint']

/** The types that a column may have, the best one first. Another would lose something, or fail a statement for one bad value in it. */
const TYPES: Readonly<Partial<Record<ColumnName, readonly string[]>>> = {
  lock_until: TIME,
  locked_at: TIME,
  fencing_token: ['bigint'],
  last_tick: ['bigint'],
  tick_done: FLAG,
  paused: FLAG,
}

function checkType([column, , , , , type]: readonly unknown[], types: readonly string[]): void {
  if (types.includes(String(type))) return
  throw new StoreError(
    `the column ${String(column)} must be of type ${types[0]?.toUpperCase()}, but is ${String(type).toUpperCase()}`,
  )
}

function textColumn([column, charset, collation, length, size]: readonly unknown[]): TextColumn {
  const text = {
    charset: String(charset),
    collation: String(collation),
    length: Number(length),
    size: Number(size),
  }
  if (charset !== null && /^\w+$/.test(text.charset) && /^\w+$/.test(text.collation)) return text
  throw new StoreError(`the column ${String(column)} must be a text, such as VARCHAR(255) CHARACTER SET utf8mb4`)
}

/** What a column of this character set keeps for certain. The server would put question marks for the rest without a word. */
const KEPT: Readonly<Record<string, RegExp>> = {
  utf8mb4: /^/u,
  utf8mb3: /^[\0-\uffff]*$/u,
  utf8: /^[\0-\uffff]*$/u,
}
const ASCII = /^[\0-\x7f]*$/

/** @throws {StoreError} for a string that the column would cut or change, so that two strings would become one. */
export function checkText(text: string, column: ColumnName, { charset, length, size }: TextColumn): void {
  // Most strings are short enough however they are counted.
  if (text.length > length && [...text].length > length) {
    throw new StoreError(`${show(text)} is longer than the ${length} characters of the column ${column}`)
  }
  if (text.length * 3 > size && charset === 'utf8mb4' && Buffer.byteLength(text) > size) {
    throw new StoreError(`${show(text)} is longer than the ${size} bytes of the column ${column}`)
  }
  if (!(KEPT[charset] ?? ASCII).test(text)) {
    throw new StoreError(
      `${show(text)} has characters that the column ${column} may not keep, since its character set is ${charset}: make it utf8mb4`,
    )
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new StoreError(`${show(text)} has half of a surrogate pair, which the column ${column} can't keep`)
  }
}

/** The last day of TIMESTAMP, whatever the session's time zone: in microseconds since the epoch. */
const END_OF_TIMESTAMP = Date.UTC(2038, 0, 18) * 1000
const END_OF_DATETIME = Date.UTC(9999, 11, 31) * 1000

/** A time as the columns keep it exactly: in microseconds since the epoch, rounded by us and not by each server in its own way. */
export function toColumn(ms: number, round: 'up' | 'down', { precision, isTimestamp }: Layout): number {
  const step = 10 ** (6 - precision)
  const steps = Math.round(ms * 1000) / step
  const micros = (round === 'up' ? Math.ceil(steps) : Math.floor(steps)) * step
  if (isTimestamp && micros > END_OF_TIMESTAMP) {
    throw new StoreError(
      'a TIMESTAMP ends in 2038: make the columns lock_until and locked_at DATETIME(6) for longer locks',
    )
  }
  if (micros > END_OF_DATETIME) throw new StoreError('a DATETIME ends in the year 9999, so no lock can be longer')
  return micros
}

export const fromColumn = (micros: number): number => micros / 1000
