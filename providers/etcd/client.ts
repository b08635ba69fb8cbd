/* etcd's JSON gateway: one endpoint at a time, and a token where etcd wants one. */
import type { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import type { EtcdAddress } from './url.ts'

/** `fetch` as the provider calls it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** gRPC's codes, as the gateway returns them. */
const INVALID_ARGUMENT = 3
const UNAUTHENTICATED = 16

/** Of a response that came: etcd refused the request and did nothing. */
class EtcdError extends Error {
  override readonly name = 'EtcdError'
  readonly code: number | undefined

  constructor(message: string, code: number | undefined) {
    super(message)
    this.code = code
  }
}

export class Gateway {
  readonly #address: EtcdAddress
  readonly #fetch: Fetch
  readonly #clock: ClockEstimate
  readonly #closing = new AbortController()
  #current = 0
  #token: string | undefined

  /** @param clock observes the `Date` of every response */
  constructor(address: EtcdAddress, fetch: Fetch, clock: ClockEstimate) {
    this.#address = address
    this.#fetch = fetch
    this.#clock = clock
  }

  /** Sends a request that may be repeated: after a failure to the next endpoint, or once more to the only one. */
  async read<Reply>(path: string, body: object, timeout: number): Promise<Reply> {
    const deadline = performance.now() + timeout
    for (let left = Math.max(2, this.#address.endpoints.length); ; left--) {
      try {
        return await this.write(path, body, Math.max(1, (deadline - performance.now()) / left))
      } catch (error) {
        if (left === 1 || error instanceof EtcdError || this.#closing.signal.aborted) throw error
      }
    }
  }

  /** Sends a request once. When it rejects, etcd may have done it. */
  async write<Reply>(path: string, body: object, timeout: number): Promise<Reply> {
    const deadline = performance.now() + timeout
    const send = async (): Promise<Reply> => {
      if (this.#address.login && this.#token === undefined)
        this.#token = await this.#authenticate(this.#address.login, deadline - performance.now())
      return (await this.#send(path, body, deadline - performance.now(), this.#token)) as Reply
    }
    const token = this.#token
    try {
      return await send()
    } catch (error) {
      if (token === undefined || !isRejectedToken(error)) throw error
      // Tokens expire, and are void after each change of a user or role.
      if (this.#token === token) this.#token = undefined
      return await send()
    }
  }

  /** Requests the time, by a request that reaches no store and needs no login. */
  async sampleClock(timeout: number) {
    const { sample } = await this.#request('GET', '/version', undefined, timeout, undefined)
    if (!sample) throw new Error(`etcd at ${this.#endpoint} sends no Date header, so its time is unknown`)
    return sample
  }

  close(): void {
    this.#closing.abort(new Error('the provider was closed'))
  }

  get #endpoint(): string {
    return this.#address.endpoints[this.#current] ?? ''
  }

  async #authenticate(login: object, timeout: number): Promise<string> {
    const { token } = (await this.#send('/v3/auth/authenticate', login, timeout, undefined)) as { token?: string }
    if (token === undefined) throw new Error(`etcd at ${this.#endpoint} returned no token for the user`)
    return token
  }

  async #send(path: string, body: object, timeout: number, token: string | undefined): Promise<unknown> {
    const { endpoint, response, text } = await this.#request('POST', path, body, timeout, token)
    const reply = parse(text) as { readonly message?: string; readonly error?: string; readonly code?: number }
    if (response.ok && reply) return reply
    const why = reply?.message ?? reply?.error ?? `status ${response.status}, and no JSON`
    if (response.status >= 500 || !reply) {
      this.#leave(endpoint)
      throw new Error(`etcd at ${endpoint} failed: ${why}`)
    }
    throw new EtcdError(`etcd at ${endpoint} refused the request: ${why}`, reply.code)
  }

  async #request(method: string, path: string, body: object | undefined, timeout: number, token: string | undefined) {
    const endpoint = this.#endpoint
    const late = AbortSignal.timeout(Math.max(1, Math.ceil(timeout)))
    const sentAt = performance.now()
    try {
      const response = await this.#fetch(endpoint + path, {
        method,
        body: body === undefined ? null : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: token }) },
        redirect: 'error',
        signal: AbortSignal.any([late, this.#closing.signal]),
      })
      const time = Date.parse(response.headers.get('date') ?? '')
      const sample = Number.isNaN(time) ? undefined : { time, sentAt, receivedAt: performance.now() }
      // The clock is that of the endpoint in use: another one has another.
      if (sample && endpoint === this.#endpoint) this.#clock.observe(sample)
      return { endpoint, response, sample, text: await response.text() }
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      this.#leave(endpoint)
      if (late.aborted)
        throw new Error(`etcd at ${endpoint} did not answer within ${Math.ceil(timeout)} ms`, { cause: error })
      throw new Error(`etcd at ${endpoint} can't be reached: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** Uses the next endpoint from now on, unless another request has chosen it already. */
  #leave(endpoint: string): void {
    if (this.#address.endpoints.length === 1 || endpoint !== this.#endpoint) return
    this.#current = (this.#current + 1) % this.#address.endpoints.length
    this.#clock.forget()
  }
}

/** `InvalidArgument` too: that is how etcd says that users have changed since the token was made. */
const isRejectedToken = (error: unknown): boolean =>
  error instanceof EtcdError && (error.code === UNAUTHENTICATED || error.code === INVALID_ARGUMENT)

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : message
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
