import type { LockProvider } from 'ticklock'

/** Opens a provider of the built package by the kind of its store, over a client that it makes itself from the URL. */
export async function openStore(kind: string, url: string): Promise<LockProvider> {
  switch (kind) {
    case 'postgres':
      return (await import('ticklock/postgres')).postgres(url)
    case 'mariadb':
    case 'mysql':
      return (await import('ticklock/mysql')).mysql(url)
    case 'mongodb':
      return (await import('ticklock/mongodb')).mongodb(url)
    case 'redis':
      return (await import('ticklock/redis')).redis(url)
    case 'dynamodb':
      return (await import('ticklock/dynamodb')).dynamodb(url)
    case 'etcd':
      return (await import('ticklock/etcd')).etcd(url)
    case 'nats':
      return (await import('ticklock/nats')).nats(url)
    case 'zookeeper':
      return (await import('ticklock/zookeeper')).zookeeper(url)
    case 'sqlite':
      return (await import('ticklock/sqlite')).sqlite(url)
    default:
      throw new Error(`no such kind of store: ${kind}`)
  }
}
