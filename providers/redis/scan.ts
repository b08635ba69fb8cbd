import { isCluster, type RedisClient, type RedisCluster, type RedisServer } from './driver.ts'
import type { KeySpace } from './keys.ts'

/** Keys looked at in one SCAN call. */
const PAGE = 1_000

/** The names of all locks. SCAN walks over all keys of every master: for people and for start-up, not for every tick. */
export async function listNames(client: RedisClient | RedisCluster, space: KeySpace): Promise<string[]> {
  const names = new Set<string>()
  const collect = async (server: RedisServer): Promise<void> => {
    let cursor = '0'
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', space.pattern, 'COUNT', PAGE)
      for (const key of keys) {
        const name = space.nameOf(key)
        if (name !== undefined) names.add(name)
      }
      cursor = next
    } while (cursor !== '0')
  }
  await Promise.all((await servers(client)).map(collect))
  return [...names]
}

async function servers(client: RedisClient | RedisCluster): Promise<readonly RedisServer[]> {
  if (!isCluster(client)) return [client]
  // A cluster client that hasn't connected yet knows no masters, or takes every node it was told for one.
  await client.ping()
  const masters = client.nodes('master')
  if (masters.length === 0) throw new Error('the Redis cluster client knows no master')
  return masters
}
