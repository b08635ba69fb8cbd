/* What the errors of the driver mean. */
import { RecordBusyError } from '../../src/errors.ts'

const LOCK_TIMEOUT = 24
const MAX_TIME_EXPIRED = 50
const WRITE_CONFLICT = 112
const DUPLICATE_KEY = 11_000

/** An operation of a batch that failed, by its place in the batch. */
interface WriteError {
  readonly index: number
  readonly code?: number
  readonly errmsg?: string
}

/** The part of the driver's `MongoBulkWriteError` that tells why. */
interface BulkWriteError {
  readonly writeErrors?: WriteError | readonly WriteError[]
  readonly result?: { readonly matchedCount?: number; getWriteConcernError?(): unknown }
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** Whether the bound of a command ran out, mostly since the transaction of a stranger has locked a record. */
export const isBusy = (error: unknown): boolean =>
  [LOCK_TIMEOUT, MAX_TIME_EXPIRED, WRITE_CONFLICT].includes(codeOf(error) as number)

/** Whether another node made the record at the same time. */
export const isDuplicate = (error: unknown): boolean => codeOf(error) === DUPLICATE_KEY

/** The operations that failed each on their own; undefined when the batch as a whole did. */
export function failedOperations(error: unknown): readonly WriteError[] | undefined {
  const { writeErrors, result } = error as BulkWriteError
  if (writeErrors === undefined || result?.getWriteConcernError?.()) return undefined
  const errors = [writeErrors].flat()
  return errors.length > 0 ? errors : undefined
}

/** How many operations of a batch found their record, though others failed. */
export const matchedDespite = (error: unknown): number => (error as BulkWriteError).result?.matchedCount ?? 0

/** The error of a request whose record a command could not change. */
export const errorFor = (name: string, cause: unknown): Error =>
  isBusy(cause) ? new RecordBusyError(name, { cause }) : (cause as Error)
