/* Requests to the API server by `node:https`, which takes an authority of its own, as `fetch` does not. */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClockEstimate, ClockSample } from '../../src/provider/versioned/clock-estimate.ts'
import type { Access, FindAccess } from './access.ts'

/** A token is looked for anew after this time, in ms. Kubernetes renews it long before its end. */
const ACCESS_LASTS = 60_000
/** The wait after a 429 that does not say how long, in ms. */
const DEFAULT_RETRY_AFTER = 1_000

/** Of a response that came and is no success. */
export class ApiError extends Error {
  override readonly name = 'KubernetesError'
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

interface Reply {
  readonly response: IncomingMessage
  readonly body: string
  readonly sample: ClockSample | undefined
}

export class Api {
  readonly #find: FindAccess
  readonly #namespace: string | undefined
  readonly #estimate: ClockEstimate
  readonly #closing = new AbortController()
  #access: { readonly found: Promise<Access>; readonly at: number } | undefined

  /**
   * @param namespace in place of the one that access comes with
   * @param estimate observes the `Date` of every response
   */
  constructor(find: FindAccess, namespace: string | undefined, estimate: ClockEstimate) {
    this.#find = find
    this.#namespace = namespace
    this.#estimate = estimate
  }

  /** Reads, and once more when a connection fails: a server may have closed it just then. */
  async read<Body>(path: string, timeout: number): Promise<Body> {
    const deadline = performance.now() + timeout
    try {
      return await this.#request<Body>('GET', path, undefined, deadline, timeout / 2)
    } catch (error) {
      if (error instanceof ApiError || this.#closing.signal.aborted) throw error
      return await this.#request<Body>('GET', path, undefined, deadline, timeout)
    }
  }

  /**
   * Sends a request for Leases once, and again only where the server says that it did nothing: 429, or 401 for a token that was renewed meanwhile. When it
   * rejects with another error than an {@link ApiError} below 500, the server may have done it.
   *
   * @param path after `…/leases`
   */
  async write<Body>(method: string, path: string, body: object | undefined, timeout: number): Promise<Body> {
    return await this.#request<Body>(method, path, body, performance.now() + timeout, timeout)
  }

  /** @param within how long the server has for each response, in ms */
  async #request<Body>(
    method: string,
    path: string,
    body: object | undefined,
    deadline: number,
    within: number,
  ): Promise<Body> {
    for (let renewed = false; ; ) {
      const access = await this.#currentAccess()
      const timeout = Math.min(within, deadline - performance.now())
      const { response, body: replied } = await this.#send(access, method, this.#leases(access) + path, body, timeout)
      const { statusCode: status = 0, headers } = response
      if (status >= 200 && status < 300) return JSON.parse(replied) as Body
      const wait = 1_000 * Number(headers['retry-after'] ?? Number.NaN) || DEFAULT_RETRY_AFTER
      if (status === 429 && performance.now() + wait < deadline) {
        await sleep(wait, undefined, { signal: this.#closing.signal })
      } else if (status === 401 && !renewed) {
        renewed = true
        this.#access = undefined
      } else {
        throw new ApiError(`Kubernetes at ${access.server} refused the request: ${messageOf(replied, status)}`, status)
      }
    }
  }

  /** Requests the version for the `Date` of the response. Any response will do, also a refusal. */
  async sampleClock(timeout: number): Promise<ClockSample> {
    const access = await this.#currentAccess()
    const { sample } = await this.#send(access, 'GET', '/version', undefined, timeout)
    if (!sample) throw new Error(`Kubernetes at ${access.server} sends no Date header, so its time is unknown`)
    return sample
  }

  /** The namespace of the Leases. */
  async namespace(): Promise<string> {
    return this.#namespace ?? (await this.#currentAccess()).namespace ?? 'default'
  }

  close(): void {
    this.#closing.abort(new Error('the provider was closed'))
    this.#access?.found.then(
      ({ agent }) => agent?.destroy(),
      () => {},
    )
  }

  #leases({ namespace }: Access): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace ?? namespace ?? 'default'}/leases`
  }

  async #currentAccess(): Promise<Access> {
    this.#closing.signal.throwIfAborted()
    if (!this.#access || performance.now() > this.#access.at + ACCESS_LASTS)
      this.#access = { found: this.#find(), at: performance.now() }
    const current = this.#access
    try {
      return await current.found
    } catch (error) {
      // The next request looks again.
      if (this.#access === current) this.#access = undefined
      throw error
    }
  }

  async #send(
    { server, options }: Access,
    method: string,
    path: string,
    body: object | undefined,
    timeout: number,
  ): Promise<Reply> {
    const ms = Math.max(1, Math.ceil(timeout))
    const late = AbortSignal.timeout(ms)
    const signal = AbortSignal.any([late, this.#closing.signal])
    const content = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...(options.headers as Readonly<Record<string, string>>),
      accept: 'application/json',
      'user-agent': 'ticklock',
      // Node.js would send the body of a DELETE without its length.
      ...(content !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
      }),
    }
    const sentAt = performance.now()
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request(server + path, { ...options, method, headers, signal })
          .once('response', resolve)
          .once('error', reject)
          .end(content)
      })
      const time = Date.parse(response.headers.date ?? '')
      const sample = Number.isNaN(time) ? undefined : { time, sentAt, receivedAt: performance.now() }
      if (sample) this.#estimate.observe(sample)
      return { response, sample, body: await text(response) }
    } catch (cause) {
      this.#closing.signal.throwIfAborted()
      if (late.aborted) throw new Error(`Kubernetes at ${server} did not respond within ${ms} ms`, { cause })
      throw new Error(`Kubernetes at ${server} can't be reached: ${(cause as Error).message}`, { cause })
    }
  }
}

function messageOf(body: string, status: number): string {
  try {
    return (JSON.parse(body) as { readonly message?: string }).message ?? `status ${status}`
  } catch {
    return `status ${status}`
  }
}
