import type { RedisClient, RedisCluster, RedisCommands, RedisServer } from './redis-commands.ts'
import { has, refuse } from './refuse.ts'

/** The small part of a `GlideClient` or `GlideClusterClient` that is used here. */
export interface Glide {
  customCommand(args: string[], options?: never): Promise<unknown>
}

/**
 * A `GlideClient` or `GlideClusterClient` of `@valkey/valkey-glide` 2 for `redis()` of `ticklock/redis`.
 *
 * @example
 * const provider = redis(fromGlide(client))
 *
 * @throws {InvalidOptionError} for anything else.
 */
export function fromGlide(client: Glide): { readonly client: RedisClient | RedisCluster } {
  if (!has(client, 'customCommand')) refuse('fromGlide', 'a client of @valkey/valkey-glide', client)
  // Only the cluster's client routes what it scans.
  const isCluster = client.constructor?.name === 'GlideClusterClient'
  const commands = commandsOf(client)
  if (!isCluster) return { client: { ...commands, ...serverOf(client) } }
  return { client: { ...commands, nodes: () => [wholeClusterOf(client)] } }
}

/** As `Decoder.Bytes` of the package: its own decoding to strings fails a whole reply for bytes that are no UTF-8. */
const DECODER_BYTES = 0

async function send(client: Glide, args: readonly (string | number)[], route?: unknown): Promise<unknown> {
  const options = { decoder: DECODER_BYTES, ...(route !== undefined && { route }) }
  try {
    return decoded(await client.customCommand(args.map(String), options as never))
  } catch (error) {
    throw asRedisSaid(error)
  }
}

/** The strings of a reply, which may be lists within lists. */
function decoded(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(decoded) : reply
}

/** GLIDE puts the code of an error reply in words of its own; the provider looks for Redis' own. */
function asRedisSaid(error: unknown): unknown {
  if (!(error instanceof Error) || !/NoScriptError|NOSCRIPT/.test(error.message)) return error
  return new Error(`NOSCRIPT ${error.message}`, { cause: error })
}

const commandsOf = (client: Glide): RedisCommands => ({
  evalsha: (sha, keyCount, ...rest) => send(client, ['EVALSHA', sha, keyCount, ...rest]),
  eval: (script, keyCount, ...rest) => send(client, ['EVAL', script, keyCount, ...rest]),
  ping: () => send(client, ['PING']),
})

const serverOf = (client: Glide, route?: unknown): RedisServer => ({
  script: (load, script) => send(client, ['SCRIPT', load, script], route),
  scan: async (...args) => (await send(client, ['SCAN', ...args], route)) as [string, string[]],
})

/** All masters as one server: a script is given to each, and one call scans them all to the end. */
const wholeClusterOf = (client: Glide): RedisServer => ({
  script: (load, script) => send(client, ['SCRIPT', load, script], 'allPrimaries'),
  async scan(_, ...rest) {
    const found: string[] = []
    for (const address of mastersOf(await send(client, ['CLUSTER', 'NODES'], 'randomNode'))) {
      const master = serverOf(client, { type: 'routeByAddress', ...address })
      let cursor = '0'
      do {
        const [next, keys] = await master.scan(cursor, ...rest)
        found.push(...keys)
        cursor = next
      } while (cursor !== '0')
    }
    return ['0', found]
  },
})

/** The masters that have slots, from the lines of CLUSTER NODES: id, host:port@bus[,hostname], flags, …, slots. */
function mastersOf(nodes: unknown): { readonly host: string; readonly port: number }[] {
  return String(nodes)
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter(
      ([, , flags = '', , , , , , slots]) => /\bmaster\b/.test(flags) && !/fail/.test(flags) && slots !== undefined,
    )
    .map(([, address = '']) => {
      const [, host = '', port = ''] = /^(.*):(\d+)@/.exec(address) ?? []
      return { host, port: Number(port) }
    })
}
