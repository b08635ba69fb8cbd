import type { LockProvider } from '../../src/provider/contract.ts'
import { clientFor, givenClient } from './client.ts'
import type { RedisClient, RedisCluster } from './driver.ts'
import { redisHistory } from './history.ts'
import { Locks, named } from './locks.ts'
import { normalize, type RedisOptions, spaceOf } from './options.ts'
import { acquireResult, extendResult, givenToAcquire, givenToExtend, givenToRelease, yes } from './replies.ts'
import { listNames } from './scan.ts'
import { ScriptRunner } from './script-runner.ts'
import { scripts as ownScripts, sharedScripts } from './scripts.ts'

/**
 * Keeps locks in Redis 6 or later, or Valkey: one server, Sentinel or a cluster, through `ioredis`. Takes a client, a URL, or options.
 * Nothing has to be set up. Redis' own clock decides. What a fail-over can lose is said in docs/providers/redis.md.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function redis(input: RedisClient | RedisCluster | string | RedisOptions): LockProvider {
  const options = normalize(input)
  const space = spaceOf(options)
  const source = options.client ? givenClient(options.client) : clientFor(options.url ?? '')
  const scripts = space.isShared ? sharedScripts : ownScripts
  const runner = new ScriptRunner(source)
  const locks = new Locks(space, runner, scripts)
  const namesInStore = async () => named(await listNames(await source.get(), space))

  return {
    acquire: (requests) => locks.run(scripts.acquire, requests, givenToAcquire, acquireResult),
    extend: (requests) => locks.run(scripts.extend, requests, givenToExtend, extendResult),
    release: (requests) => locks.run(scripts.release, requests, givenToRelease, yes),
    read: async (names) => locks.read(names ? named(new Set(names)) : await namesInStore()),
    forceRelease: (name) => locks.runRepairing(scripts.forceRelease, name, ''),
    reset: ({ name, maxClockSkew }) => locks.runRepairing(scripts.reset, name, `${maxClockSkew} -`),
    setPaused: ({ name, paused }) => locks.runOne(scripts.pause, name, paused ? '1' : '0'),
    history: redisHistory(space.prefix, runner),
    prune: async (olderThanMs) => locks.prune(await namesInStore(), olderThanMs),
    close: () => source.close(),
  }
}
