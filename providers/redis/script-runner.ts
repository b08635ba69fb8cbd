/* Sends batches to the scripts: in chunks, all at once, by the script's hash first. */
import { allOrNone } from '../../src/provider/parts.ts'
import { isCluster, type RedisCluster, type RedisCommands } from './client.ts'
import type { ClientSource } from './connect.ts'
import type { LockKeys } from './keys.ts'
import { milliseconds, type Script } from './scripts.ts'

/** What a script is told about one lock. */
export interface ScriptRequest {
  readonly keys: LockKeys
  readonly args: readonly string[]
}

/** What a script answered about one lock. */
export interface ScriptAnswer {
  readonly value: unknown
  /** The server's clock when it decided, in ms. */
  readonly storeTime: number
}

/** Requests of one script call: while it runs, Redis serves nobody else, for some 2 ms. */
const CHUNK = 200

export class ScriptRunner {
  readonly #source: ClientSource
  /** The scripts that all masters of a cluster were given. */
  readonly #given = new Set<Script>()

  constructor(source: ClientSource) {
    this.#source = source
  }

  /**
   * Runs a script for a batch and answers in request order. The calls are sent side by side over the connections that there are, so they cost
   * one round trip. When one fails the batch rejects, but only after all have been answered: whoever then gives back what the
   * others granted must not come before them.
   */
  async run(
    script: Script,
    requests: readonly ScriptRequest[],
    tell?: (indexes: readonly number[], answers: readonly ScriptAnswer[]) => void,
  ): Promise<ScriptAnswer[]> {
    if (requests.length === 0) return []
    const client = await this.#source.get()
    if (requests.length === 1) return await this.#call(client, script, requests)
    const calls = chunks(requests, isCluster(client))
    if (isCluster(client) && calls.length > 1) await this.#give(client, script)
    const answers = new Array<ScriptAnswer>(requests.length)
    await allOrNone(
      calls.map(async (chunk) => {
        const called = await this.#call(
          client,
          script,
          chunk.map((index) => requests[index] as ScriptRequest),
        )
        for (const [position, index] of chunk.entries()) answers[index] = called[position] as ScriptAnswer
        tell?.(chunk, called)
      }),
    )
    return answers
  }

  /** Lets a cluster know a script before thousands of calls, one for each lock, would each be told that it doesn't. */
  async #give(cluster: RedisCluster, script: Script): Promise<void> {
    if (this.#given.has(script)) return
    this.#given.add(script)
    // A master that fails here fails the calls to it, or knows the script by then.
    await Promise.allSettled(cluster.nodes('master').map((master) => master.script('LOAD', script.text)))
  }

  async #call(client: RedisCommands, script: Script, requests: readonly ScriptRequest[]): Promise<ScriptAnswer[]> {
    const keysAndArgs: string[] = []
    for (const { keys } of requests) keysAndArgs.push(keys.lock, keys.state)
    keysAndArgs.push(...told(requests))
    const reply = await this.#evaluate(client, script, 2 * requests.length, keysAndArgs)
    if (!Array.isArray(reply) || reply.length !== requests.length + 1) {
      throw new TypeError('Redis answered a script in a form that is not known')
    }
    const [now, ...values] = reply
    return values.map((value) => ({ value, storeTime: milliseconds(now) }))
  }

  async #evaluate(client: RedisCommands, script: Script, keyCount: number, keysAndArgs: readonly string[]) {
    return evaluate(client, script, keyCount, keysAndArgs, () => this.#given.delete(script))
  }
}

/** What the scripts' `told` reads: what is the same for all requests comes once, which is most of a scheduler's batch. */
export function told(requests: readonly ScriptRequest[]): string[] {
  const first = requests[0]?.args ?? []
  if (first.length === 0) return []
  const once = first.map((value, field) => requests.length > 1 && requests.every(({ args }) => args[field] === value))
  const values = [once.map((same) => (same ? '1' : '-')).join(''), ...first.filter((_, field) => once[field])]
  for (const { args } of requests) for (const [field, value] of args.entries()) if (!once[field]) values.push(value)
  return values
}

/** Runs a script by its hash, or by its text where the server doesn't know it. */
export async function evaluate(
  client: RedisCommands,
  script: Script,
  keyCount: number,
  keysAndArgs: readonly string[],
  onUnknown: () => void = () => {},
): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, keyCount, ...keysAndArgs)
  } catch (error) {
    if (!isNoScript(error)) throw error
    // First use of this server, or it restarted, failed over, or was told SCRIPT FLUSH.
    onUnknown()
    return await client.eval(script.text, keyCount, ...keysAndArgs)
  }
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
    let chunk = withName.get(keys.lock)
    if (!chunk) {
      const group = bySlot ? keys.tag : ''
      chunk = open.get(group)
      if (!chunk || chunk.length >= CHUNK) {
        chunk = []
        all.push(chunk)
        open.set(group, chunk)
      }
      withName.set(keys.lock, chunk)
    }
    chunk.push(index)
  }
  return all
}

/** The first word of an error reply of Redis is its code. */
const isNoScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT ')
