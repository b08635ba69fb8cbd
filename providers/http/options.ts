import { type Duration, parseDuration, show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { checkKeys } from '../../src/options.ts'

export interface HttpOptions {
  /**
   * Where `ticklock serve` is: an `http://` or `https://` URL, with a path if it is mounted under one. Several, as an array or separated by commas, are
   * tried in turn; their servers must serve the same store.
   */
  readonly url: string | readonly string[]
  /** The token of the server. @default the environment variable TICKLOCK_SERVE_TOKEN, if it is set */
  readonly token?: string | undefined
  /** How long a call may take, with all its retries, when the caller doesn't say. From 1 ms. @default '10s' */
  readonly timeout?: Duration | undefined
  /** Sends the requests, for an HTTP agent of your own, such as one with a client certificate. @default the global `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined
}

export interface CheckedHttpOptions {
  /** Each without a slash at its end. */
  readonly urls: readonly string[]
  readonly token: string | undefined
  readonly timeout: number
  readonly fetch: typeof globalThis.fetch
}

const OPTIONS = ['url', 'token', 'timeout', 'fetch']

/** @throws {InvalidOptionError} that names the option; neither the token nor a URL with a password is ever shown. */
export function checkHttpOptions(input: string | readonly string[] | HttpOptions): CheckedHttpOptions {
  const options = typeof input === 'string' || Array.isArray(input) ? { url: input } : input
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError(`http() takes a URL or options, but got ${show(options)}`)
  const given = options as HttpOptions
  checkKeys(given, OPTIONS, 'http')
  const { url, token = process.env.TICKLOCK_SERVE_TOKEN || undefined, timeout = 10_000, fetch } = given
  if (fetch !== undefined && typeof fetch !== 'function')
    throw new InvalidOptionError(`fetch must be a function, but is ${show(fetch)}`)
  if (token !== undefined && (typeof token !== 'string' || !/^[!-~]([ -~]*[!-~])?$/.test(token)))
    throw new InvalidOptionError(
      'token must be printable ASCII characters without white space at its ends (a file may end with a line break), but is not',
    )
  const urls = (typeof url === 'string' ? url.split(',') : Array.isArray(url) ? url : [url]).map(checkUrl)
  if (urls.length === 0) throw new InvalidOptionError('url must have at least one URL')
  return {
    urls,
    token,
    timeout: parseDuration(timeout, { option: 'timeout', min: 1 }),
    // Looked up at each call, as the process may replace it.
    fetch: fetch ?? ((...request) => globalThis.fetch(...request)),
  }
}

function checkUrl(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const wrong = (why: string): InvalidOptionError =>
    new InvalidOptionError(`url must look like 'https://locks.example.com', ${why}`)
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong('and begin with http:// or https://')
  if (url.username !== '' || url.password !== '')
    throw wrong('without user and password: give the option token, or set TICKLOCK_SERVE_TOKEN')
  if (url.search !== '' || url.hash !== '') throw wrong('without ? and #')
  return url.href.replace(/\/+$/, '')
}
