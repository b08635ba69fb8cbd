/* Sends batches to the scripts: in chunks, all at once, by the script's hash first. */

import type { Settled } from '../../src/provider/contract.ts'
import type { ClientSource } from './client.ts'
import { isCluster, type RedisCluster, type RedisCommands } from './driver.ts'
import { milliseconds } from './format.ts'
import type { LockKeys } from './keys.ts'

import type { Script } from './scripts.ts'

/** What a script is given about one lock. */
export interface ScriptRequest extends Given {
  readonly keys: LockKeys
}

/** What a script replied about one lock. */
export interface ScriptReply {
  readonly value: unknown
  /** The server's clock when it decided, in ms. */
  readonly storeTime: number
}

/** Requests of one script call: while it runs, Redis serves nobody else, for some 2 ms. */
const CHUNK = 200

export class ScriptRunner {
  readonly #source: ClientSource
  /** The scripts that all masters of a cluster were given. */
  readonly #loaded = new Set<Script>()

  constructor(source: ClientSource) {
    this.#source = source
  }

  /**
   * Runs a script for a batch. The calls are sent side by side, so they cost one round trip; a call that fails fails its own requests. Rejects when all
   * have failed.
   */
  async run(script: Script, requests: readonly ScriptRequest[]): Promise<Settled<ScriptReply>[]> {
    if (requests.length === 0) return []
    const client = await this.#source.get()
    if (requests.length === 1) return await this.#call(client, script, requests)
    const calls = chunks(requests, isCluster(client))
    if (isCluster(client) && calls.length > 1) await this.#load(client, script)
    const results = new Array<Settled<ScriptReply>>(requests.length)
    const errors: unknown[] = []
    await Promise.all(
      calls.map(async (chunk) => {
        const batch = chunk.map((index) => requests[index] as ScriptRequest)
        const called = await this.#call(client, script, batch).catch((error: unknown) => {
          errors.push(error)
          return batch.map(() => (error instanceof Error ? error : new Error(String(error))))
        })
        for (const [position, index] of chunk.entries()) results[index] = called[position] as Settled<ScriptReply>
      }),
    )
    if (errors.length === calls.length) throw errors[0]
    return results
  }

  /** Runs a script that is about no batch. */
  async runOn(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return await this.#evaluate(await this.#source.get(), script, keys, args)
  }

  /** Loads a script before thousands of calls, one for each lock, would each learn that the cluster doesn't know it. */
  async #load(cluster: RedisCluster, script: Script): Promise<void> {
    if (this.#loaded.has(script)) return
    this.#loaded.add(script)
    // A master that fails here fails the calls to it, or knows the script by then.
    await Promise.allSettled(cluster.nodes('master').map((master) => master.script('LOAD', script.text)))
  }

  async #call(client: RedisCommands, script: Script, requests: readonly ScriptRequest[]): Promise<ScriptReply[]> {
    const keys = requests.map(({ keys }) => keys.record)
    for (const { keys: each } of requests) if (each.shedLock !== undefined) keys.push(each.shedLock)
    const reply = await this.#evaluate(client, script, keys, argsOf(requests))
    if (!Array.isArray(reply) || reply.length !== requests.length + 1) {
      throw new TypeError('Redis replied to a script in a form that is not known')
    }
    const storeTime = milliseconds(reply[0])
    return requests.map((_, index) => ({ value: reply[index + 1], storeTime }))
  }

  /** Runs a script by its hash, or by its text where the server doesn't know it. */
  async #evaluate(client: RedisCommands, script: Script, keys: readonly string[], args: readonly string[]) {
    try {
      try {
        return await client.evalsha(script.sha, keys.length, ...keys, ...args)
      } catch (error) {
        if (!isNoScript(error)) throw error
        // First use of this server, or it restarted, failed over, or was told SCRIPT FLUSH.
        this.#loaded.delete(script)
        return await client.eval(script.text, keys.length, ...keys, ...args)
      }
    } catch (error) {
      throw this.#source.explain(error)
    }
  }
}

/** The terms of all requests, once where they are the same, which is most of a scheduler's batch; and then who makes each. */
export function argsOf(requests: readonly Given[]): string[] {
  const terms = requests[0]?.terms ?? ''
  const areSame = requests.every((request) => request.terms === terms)
  const args = areSame ? [terms] : requests.map((request) => request.terms)
  for (const { who } of requests) if (who !== undefined) args.push(who)
  return args
}

/**
 * Cuts a batch into lists of indexes. A cluster takes only keys of one slot in a call. The requests of one name stay in one chunk,
 * in order: two chunks may change places on the way when the server doesn't know the script yet.
 */
function chunks(requests: readonly ScriptRequest[], bySlot: boolean): number[][] {
  const all: number[][] = []
  const open = new Map<string, number[]>()
  const withName = new Map<string, number[]>()
  for (const [index, { keys }] of requests.entries()) {
    let chunk = withName.get(keys.record)
    if (!chunk) {
      const group = bySlot ? keys.slot : ''
      chunk = open.get(group)
      if (!chunk || chunk.length >= CHUNK) {
        chunk = []
        all.push(chunk)
        open.set(group, chunk)
      }
      withName.set(keys.record, chunk)
    }
    chunk.push(index)
  }
  return all
}

/** The first word of an error reply of Redis is its code. */
const isNoScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT ')

/** What a script is given about one request. */
export interface Given {
  readonly terms: string
  /** Who makes the request. */
  readonly who?: string | undefined
}
