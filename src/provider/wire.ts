/*
 * What `ticklock serve` and `ticklock/http` agree on, beside docs/http-api.yaml: the version, the bounds and the errors of the HTTP API.
 *
 * One POST a verb to /v1/<verb>. Requests and results are those of contract.ts as JSON. A result that is an `Error` is `{ "error": … }` in its
 * place. A call that failed as a whole has a status other than 200, and `{ "error": … }` as its body.
 */
import { isRecordBusy, RecordBusyError, StoreError } from '../errors.ts'

/** The version of the API: the first part of every path, and the value of {@link VERSION_HEADER} in every response. */
export const API_VERSION = 1
/** Marks a response as one of `ticklock serve`, and not of a proxy before it. */
export const VERSION_HEADER = 'ticklock-api'

/** The most requests, names or entries of one call. */
export const MOST_REQUESTS = 10_000
/** The largest body of a request, in bytes. */
export const MOST_BYTES = 4 * 2 ** 20
/** The longest time that a call waits for the store, in ms. */
export const LONGEST_TIMEOUT = 30_000

/** Why a call failed, or one request of it. */
export const ERROR_CODES = {
  /** The request is malformed. Nothing was decided. */
  INVALID_REQUEST: 400,
  /** The token is missing or wrong. Nothing was decided. */
  UNAUTHORIZED: 401,
  /** A web page sent it, or it came under an unknown host name, and no token is set up. Nothing was decided. */
  FORBIDDEN: 403,
  /** There is no such path. Nothing was decided. */
  NOT_FOUND: 404,
  /** The body is larger than {@link MOST_BYTES}. Nothing was decided. */
  TOO_LARGE: 413,
  /** The body is not JSON by its content type. Nothing was decided. */
  UNSUPPORTED_MEDIA_TYPE: 415,
  /** The server failed. The result is unknown. */
  INTERNAL: 500,
  /** The store behind the server can't do this. Nothing was decided. */
  NOT_SUPPORTED: 501,
  /** The store behind the server failed. The result is unknown. As the error of one request: this request failed alone. */
  STORE: 502,
  /** The server has too many calls under way. Nothing was decided. */
  BUSY: 503,
  /** The store behind the server did not respond in time. The result is unknown. */
  TIMEOUT: 504,
  /** Only as the error of one request: another transaction has locked the record. Nothing was decided. */
  RECORD_BUSY: 409,
} as const

export type WireErrorCode = keyof typeof ERROR_CODES

export interface WireError {
  readonly code: WireErrorCode
  readonly message: string
}

/** Whether a value has the form of an error of this API. */
export function isWireError(value: unknown): value is WireError {
  const { code, message } = (value ?? {}) as { code?: unknown; message?: unknown }
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) && typeof message === 'string'
}

/** The error of one request, as it is sent. */
export const toWireError = (error: Error): WireError => ({
  code: isRecordBusy(error) ? 'RECORD_BUSY' : 'STORE',
  message: error.message,
})

/** The error of one request, as the provider returns it. */
export const fromWireError = ({ code, message }: WireError, lock: string): StoreError =>
  code === 'RECORD_BUSY' ? new RecordBusyError(lock) : new StoreError(message)
