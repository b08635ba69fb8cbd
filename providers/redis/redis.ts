import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import type { RedisClient, RedisCluster } from './client.ts'
import { clientFor, givenClient } from './connect.ts'
import { redisHistory } from './history.ts'
import { DEFAULT_PREFIX, keySpace } from './keys.ts'
import { acquireArgs, acquireResult, extendArgs, extendResult, readResult, releaseArgs, yes } from './records.ts'
import { listNames } from './scan.ts'
import { type ScriptAnswer, ScriptRunner } from './script-runner.ts'
import { type Script, scripts } from './scripts.ts'

export interface RedisOptions {
  /**
   * ioredis' `Redis` (one server, or Sentinel) or `Cluster`, left open by `close()`. It must not have a `keyPrefix`: use `prefix`. Either this or `url`.
   */
  readonly client?: RedisClient | RedisCluster | undefined
  /**
   * `redis://…`, `rediss://…` (TLS), `redis+sentinel://[user:password@]host:port[,host:port…]/master[/db]` or
   * `redis+cluster://[user:password@]host:port[,host:port…]`. Needs the package `ioredis`. The client is made at the first call and
   * closed by `close()`. A server that is silent for 5 s is an error. Either this or `client`.
   */
  readonly url?: string | undefined
  /**
   * What every lock key begins with. `'job-lock:default:'` shares locks with ShedLock. `'{jobs}:'` keeps all locks in one slot of a
   * cluster: one script call for a whole batch, but one node for all of it.
   *
   * @default 'ticklock:'
   */
  readonly prefix?: string | undefined
}

/**
 * Keeps locks in Redis 6 or later, or Valkey: one server, Sentinel or a cluster, through `ioredis`. Takes a client, a URL, or options.
 * Nothing has to be set up. Redis' own clock decides. What a fail-over can lose is said in docs/providers/redis.md.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function redis(input: RedisClient | RedisCluster | string | RedisOptions): LockProvider {
  const { client, url, prefix = DEFAULT_PREFIX } = normalize(input)
  const space = keySpace(prefix)
  const source = client ? givenClient(client) : clientFor(url ?? '')
  const runner = new ScriptRunner(source)

  const run = async <Request extends Named, Result>(
    script: Script,
    requests: readonly Request[],
    argsOf: (request: Request) => string[],
    resultOf: (request: Request, answer: ScriptAnswer) => Result,
  ): Promise<Result[]> => {
    const calls = requests.map((request) => ({ keys: space.keysOf(request.name), args: argsOf(request) }))
    return (await runner.run(script, calls)).map((answer, index) => resultOf(requests[index] as Request, answer))
  }

  const namesInStore = async (part: 'state' | 'any') => named(await listNames(await source.get(), space, part))

  return {
    acquire: (requests) => run(scripts.acquire, requests, acquireArgs, acquireResult),
    extend: (requests) => run(scripts.extend, requests, extendArgs, extendResult),
    release: (requests) => run(scripts.release, requests, releaseArgs, yes),
    async read(names) {
      const wanted = names ? named(new Set(names)) : await namesInStore('any')
      const found = await run(scripts.read, wanted, () => [], readResult)
      return found.filter((record) => record !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async forceRelease(name) {
      const freed = await run(scripts.forceRelease, named([name]), () => [], yes)
      return freed.includes(true)
    },
    async setPaused({ name, paused }) {
      const changed = await run(scripts.pause, named([name]), () => [paused ? '1' : ''], yes)
      return changed.includes(true)
    },
    history: redisHistory(prefix, source),
    reset: () => Promise.reject(new Error('reset is not there yet')),
    async prune(olderThanMs) {
      const dropped = await run(scripts.prune, await namesInStore('state'), () => [String(olderThanMs)], yes)
      return dropped.filter(Boolean).length
    },
    close: () => source.close(),
  }
}

interface Named {
  readonly name: string
}

const named = (names: Iterable<string>): Named[] => Array.from(names, (name) => ({ name }))

function normalize(input: RedisClient | RedisCluster | string | RedisOptions): RedisOptions {
  if (typeof input === 'string') return { url: input }
  if (typeof input !== 'object' || input === null) {
    throw new InvalidOptionError(`redis() takes a client of ioredis, a URL or options, but got ${show(input)}`)
  }
  const options = isClient(input) ? { client: input } : input
  const unknown = Object.keys(options).find((key) => !['client', 'url', 'prefix'].includes(key))
  if (unknown !== undefined) throw new InvalidOptionError(`redis() has no option ${show(unknown)}`)
  const { client, url } = options
  if ((client === undefined) === (url === undefined)) throw new InvalidOptionError('redis() takes either client or url')
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`url must be a text, but is ${show(url)}`)
  if (client !== undefined) checkClient(client)
  return options
}

const isClient = (value: object): value is RedisClient | RedisCluster => 'evalsha' in value

export function checkClient(client: RedisClient | RedisCluster): void {
  if (typeof client !== 'object' || client === null || typeof client.evalsha !== 'function') {
    throw new InvalidOptionError(`client must be a Redis or Cluster of ioredis, but is ${show(client)}`)
  }
  // ioredis would put it before the keys of scripts, which then lie in other cluster slots than we reckon, but not into SCAN.
  const { keyPrefix } = client.options ?? {}
  if (keyPrefix) {
    throw new InvalidOptionError(
      `client must have no keyPrefix, but has ${show(keyPrefix)}: give redis() a client without it, and prefix: ${show(keyPrefix + DEFAULT_PREFIX)}`,
    )
  }
}
