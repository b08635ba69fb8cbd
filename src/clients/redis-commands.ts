/* What `redis()` of ticklock/redis takes, said once more: whatever stands here does not import a provider. */

/** One connection, or whatever sends a command to the right one by its keys. */
export interface RedisCommands {
  evalsha(sha: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
  ping(): Promise<unknown>
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

export type RedisClient = RedisCommands & RedisServer

export interface RedisCluster extends RedisCommands {
  nodes(role: 'master'): readonly RedisServer[]
}
