import type { ServerProcess } from './server-process.ts'

/** The kinds of server that the tests run against. */
export type ServerName =
  | 'dynamodb'
  | 'postgres'
  | 'mariadb'
  | 'mysql'
  | 'mongodb'
  | 'redis'
  | 'redis-sentinel'
  | 'redis-cluster'
  | 'redis-quorum'
  | 'etcd'
  | 'nats'
  | 'zookeeper'

/** A server that answers, either given by its URL or started by the tests. */
export interface TestServer {
  readonly url: string
  /** What the server itself says that it is. */
  readonly version: string
  /** The processes that the tests started for it, for chaos; none when the server was given by its URL. */
  readonly processes: readonly ServerProcess[]
  /** Ends what was started and removes its folders. Idempotent; leaves a server alone that was only given. */
  stop(): Promise<void>
}

/** There is no such server on this machine, and none could be made. */
export interface ServerUnavailable {
  /** The reason, as a sentence for people. */
  readonly unavailable: string
}

/** How one kind of server is found, started and asked for its version. */
export interface ServerKind {
  /** The environment variable that names a server to use instead of starting one. */
  readonly variable: string
  /** Connects and asks; throws while the server doesn't answer. */
  version(url: string): Promise<string>
  /** Starts one of our own. Throws with a reason for people when that can't be done here. */
  start(options: StartOptions): Promise<StartedServer>
}

export interface StartOptions {
  /** What it has acknowledged outlives a kill of its process, as in a careful production; slower. @default false */
  readonly durable?: boolean
}

/** A server of our own, which answered its first probe. */
export interface StartedServer {
  readonly url: string
  readonly processes: readonly ServerProcess[]
  /** What to close besides the processes, before them. */
  close?(): Promise<void>
}
