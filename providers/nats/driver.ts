/* The small part of the packages `@nats-io/…` 3 that the provider uses. */

/** A `NatsConnection` or a `JetStreamClient`. */
export type NatsConnectionLike =
  | { request(subject: string, ...rest: never[]): unknown }
  | { jetstreamManager(...args: never[]): unknown }

/** The client's `KV`. */
export interface KeyValues {
  get(key: string): Promise<{ readonly operation: string; readonly revision: number; string(): string } | null>
  create(key: string, value: string): Promise<number>
  update(key: string, value: string, revision: number, timeout?: number): Promise<number>
  delete(key: string, options: { readonly previousSeq: number }): Promise<void>
}

/** What `STREAM.INFO` returns of the stream below a bucket. */
export interface StreamInfo {
  /** The server's time, since NATS 2.10. */
  readonly ts?: string
  readonly config: { readonly max_age?: number; readonly discard?: string; readonly mirror?: unknown }
  readonly state: { readonly subjects?: Readonly<Record<string, number>> }
}

export interface Streams {
  info(stream: string, query?: { readonly subjects_filter: string }): Promise<StreamInfo>
}

export const isConnection = (value: unknown): value is NatsConnectionLike =>
  typeof value === 'object' &&
  value !== null &&
  ['request', 'jetstreamManager'].some((method) => typeof Reflect.get(value, method) === 'function')
