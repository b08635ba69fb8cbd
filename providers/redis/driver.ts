/* The small part of ioredis that the provider needs; its own `Redis` and `Cluster` fit. */

/** One connection, or whatever sends a command to the right one by its keys. */
export interface RedisCommands {
  evalsha(sha: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
  ping(): Promise<unknown>
  readonly options?: { readonly keyPrefix?: string | undefined; readonly enableAutoPipelining?: boolean | undefined }
}

/** One server: what can't be sent by a key. */
export interface RedisServer {
  script(load: 'LOAD', script: string): Promise<unknown>
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    size: number,
  ): Promise<[cursor: string, keys: string[]]>
}

/** ioredis' `Redis`, connected to one server or through Sentinel. */
export type RedisClient = RedisCommands & RedisServer

/** ioredis' `Cluster`. */
export interface RedisCluster extends RedisCommands {
  nodes(role: 'master'): readonly RedisServer[]
  pipeline?(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> }
}

export const isCluster = (client: RedisClient | RedisCluster): client is RedisCluster => 'nodes' in client
