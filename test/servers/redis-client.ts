import { Cluster, type CommonRedisOptions, Redis } from 'ioredis'

/** What a caller may set, for each of the three clients. */
export type RedisClientOptions = Pick<CommonRedisOptions, 'connectTimeout' | 'commandTimeout' | 'maxRetriesPerRequest'>

/**
 * A client for the URL of any of the three: `redis://host:port`, `redis+sentinel://host:port,…/master`,
 * `redis+cluster://host:port,…`. The caller closes it.
 */
export function redisClient(url: string, options: RedisClientOptions = {}): Redis | Cluster {
  const [scheme, hosts = '', path = ''] = url.split(/:\/\/|\//)
  const nodes = hosts.split(',').map((node) => {
    const [host = '127.0.0.1', port = '6379'] = node.split(':')
    return { host, port: Number(port) }
  })
  if (scheme === 'redis+sentinel') return new Redis({ ...options, sentinels: nodes, name: path || 'mymaster' })
  if (scheme === 'redis+cluster') return new Cluster(nodes, { redisOptions: options })
  return new Redis(url, options)
}

/** Throws when nothing answers within two seconds or so, instead of trying for ever. */
export async function redisVersion(url: string): Promise<string> {
  const client = redisClient(url, { commandTimeout: 2_000, maxRetriesPerRequest: 0 })
  client.on('error', () => {}) // The command below fails with it.
  try {
    const info = await client.info('server')
    return `Redis ${/^redis_version:(.*)$/m.exec(info)?.[1]?.trim()}`
  } finally {
    client.disconnect()
  }
}
