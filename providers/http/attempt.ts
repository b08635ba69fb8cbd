/* One request to one server, and what its failure means for a retry. */
import { StoreError } from '../../src/errors.ts'
import { API_VERSION, isWireError, VERSION_HEADER, type WireError } from '../../src/provider/wire.ts'

/** The longest response that is read, in bytes. */
const MOST_RESPONSE_BYTES = 64 * 2 ** 20

/** A request to one server failed. */
export class AttemptError extends StoreError {
  /** Where a retry may help: nowhere, on another server, or on the same one. */
  readonly retry: 'never' | 'elsewhere' | 'anywhere'
  /** Whether the server may have decided all the same. */
  readonly mayBeDecided: boolean

  constructor(message: string, retry: AttemptError['retry'], mayBeDecided: boolean, options?: ErrorOptions) {
    super(message, options)
    this.retry = retry
    this.mayBeDecided = mayBeDecided
  }
}

/** The codes of errors before a request was sent. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** What an error of the API means. All others: the request is wrong, on whatever server. */
const RETRIES: Partial<Record<WireError['code'], readonly [AttemptError['retry'], mayBeDecided: boolean]>> = {
  BUSY: ['anywhere', false],
  UNAUTHORIZED: ['elsewhere', false],
  FORBIDDEN: ['elsewhere', false],
  STORE: ['elsewhere', true],
  TIMEOUT: ['elsewhere', true],
  INTERNAL: ['elsewhere', true],
}

export interface Attempt {
  readonly fetch: typeof globalThis.fetch
  /** The base URL of the server. */
  readonly url: string
  readonly path: string
  readonly body: string
  readonly token: string | undefined
  readonly signal: AbortSignal
}

/**
 * Sends the request, and returns the body of the response as JSON.
 *
 * @throws {AttemptError} for everything but a success.
 */
export async function attempt({ fetch, url, path, body, token, signal }: Attempt): Promise<unknown> {
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  let response: Response
  let text: string
  try {
    response = await fetch(`${url}/v${API_VERSION}/${path}`, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'manual',
    })
    text = await readText(response, url)
  } catch (error) {
    if (error instanceof AttemptError) throw error
    throw networkError(url, error)
  }
  const value = parse(text)
  const wire = (value as { error?: unknown } | undefined)?.error
  if (isWireError(wire)) throw refusal(url, response.status, wire)
  if (response.status !== 200 || value === undefined || response.headers.get(VERSION_HEADER) !== String(API_VERSION))
    throw strange(url, response)
  return value
}

async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MOST_RESPONSE_BYTES)
      throw new AttemptError(`${url} responded with more than ${MOST_RESPONSE_BYTES} bytes`, 'never', true)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function networkError(url: string, error: unknown): AttemptError {
  const { cause } = error as { cause?: NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] } }
  // A name with several addresses: one error for each.
  const codes = (cause?.errors ?? [cause]).map((each) => each?.code ?? '')
  const isUnsent = codes.length > 0 && codes.every((code) => UNSENT.has(code) || /CERT|TLS|SSL/.test(code))
  const why = cause?.message || codes.filter(Boolean).join(', ') || (error as Error).message
  return new AttemptError(`${url} can't be reached: ${why}`, 'anywhere', !isUnsent, { cause: error })
}

function refusal(url: string, status: number, { code, message }: WireError): AttemptError {
  const [retry, mayBeDecided] = RETRIES[code] ?? ['never', false]
  const todo = code === 'UNAUTHORIZED' ? '; give the option token, or set TICKLOCK_SERVE_TOKEN' : ''
  return new AttemptError(`${url} responded ${status}: ${message}${todo}`, retry, mayBeDecided)
}

/** A response that is not one of `ticklock serve`. */
function strange(url: string, { status, headers }: Response): AttemptError {
  const version = headers.get(VERSION_HEADER)
  if (version !== null && version !== String(API_VERSION))
    return new AttemptError(
      `${url} speaks version ${version} of the API, but this ticklock speaks version ${API_VERSION}`,
      'elsewhere',
      true,
    )
  const isGateway = status === 429 || status >= 500
  const type = headers.get('content-type')
  const to = headers.get('location')
  const what = to === null ? `status ${status} and ${type ?? 'no content type'}` : `status ${status} to another place`
  return new AttemptError(
    `${url} responded with ${what}, which is no response of ticklock serve: does the URL lead to it, or is a proxy in between?`,
    isGateway ? 'anywhere' : 'elsewhere',
    true,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
