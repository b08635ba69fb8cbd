/* What the errors of the drivers mean, and what to do about them. */
import { StoreError } from '../../src/errors.ts'

/** The result codes of SQLite that matter here; extended ones have more bits above. https://www.sqlite.org/rescode.html */
const CODES = {
  ERROR: 1,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  TOOBIG: 18,
  CONSTRAINT: 19,
  MISMATCH: 20,
  NOTADB: 26,
} as const

type Code = keyof typeof CODES

/** `node:sqlite` and `@photostructure/sqlite` have the code as number in `errcode`, `better-sqlite3` as name in `code`. */
function hasCode(error: unknown, ...names: readonly Code[]): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('errcode' in error) {
    const { errcode } = error
    return typeof errcode === 'number' && names.some((name) => (errcode & 0xff) === CODES[name])
  }
  if (!('code' in error) || typeof error.code !== 'string') return false
  const { code } = error
  return names.some((name) => code === `SQLITE_${name}` || code.startsWith(`SQLITE_${name}_`))
}

/** Whether another connection has the file locked, so that the same may succeed a moment later. */
export const isBusy = (error: unknown): boolean => hasCode(error, 'BUSY', 'LOCKED', 'PROTOCOL')

/** Whether the statement itself was wrong: what a missing table or column gives, among others. */
export const isWrongStatement = (error: unknown): boolean => hasCode(error, 'ERROR')

/** Whether the table refused the values of one record. The transaction goes on. */
export const isRefusedRecord = (error: unknown): boolean => hasCode(error, 'CONSTRAINT', 'MISMATCH', 'TOOBIG')

/** Whether the connection is of no further use: a new one may find the file in order. */
export const isLostConnection = (error: unknown): boolean =>
  hasCode(error, 'READONLY', 'IOERR', 'CORRUPT', 'CANTOPEN', 'NOTADB')

const REMEDIES: readonly { readonly codes: readonly Code[]; readonly problem: string }[] = [
  {
    codes: ['READONLY'],
    problem: 'may not be written: give the user of this process the right to write to the file and to its folder',
  },
  {
    codes: ['CANTOPEN'],
    problem:
      "can't be opened: check that it is a file, that its folder exists, and that the user of this process may write to both",
  },
  {
    codes: ['NOTADB'],
    problem: 'is no SQLite database (or is encrypted): choose another path, or move that file away',
  },
  {
    codes: ['CORRUPT'],
    problem:
      'is damaged, or was made by a later SQLite than the one of this process: update Node.js or the driver, or restore the file from a backup',
  },
  { codes: ['FULL'], problem: "can't grow: the disk is full, or PRAGMA max_page_count is reached; make room" },
  {
    codes: ['IOERR'],
    problem: "can't be read or written (disk I/O error): check the disk, its free space and its quota",
  },
]

/** The error of a driver as one that says what to do. Any other error stays as it is. */
export function explainFault(error: unknown, file: string): unknown {
  if (error instanceof StoreError) return error
  const remedy = REMEDIES.find(({ codes }) => hasCode(error, ...codes))
  return remedy ? new StoreError(`${file} ${remedy.problem}`, { cause: error }) : error
}
