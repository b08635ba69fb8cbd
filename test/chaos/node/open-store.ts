import type { LockProvider } from 'ticklock'
import type { NodeSettings } from './settings.ts'

/** A provider, and what chaos may do with the client beneath it. */
export interface OpenedStore {
  readonly provider: LockProvider
  /** Keeps all connections of the node's own client busy for so many ms. */
  fillPool?(ms: number): Promise<void>
  /** Closes the node's own client. */
  close(): Promise<void>
}

const POOL_SIZE = 3

/** Opens the built package's provider, by its URL or over a client of our own as a user may bring it. */
export async function openStore({
  kind,
  url,
  ownClient,
  epoch,
}: Pick<NodeSettings, 'kind' | 'url' | 'ownClient' | 'epoch'>): Promise<OpenedStore> {
  const close = async (): Promise<void> => {}
  switch (kind) {
    case 'postgres': {
      const { postgres } = await import('ticklock/postgres')
      return ownClient ? await overPgPool(url) : { provider: postgres(url), close }
    }
    case 'mariadb':
    case 'mysql': {
      const { mysql } = await import('ticklock/mysql')
      return ownClient ? await overMysqlPool(url) : { provider: mysql(url), close }
    }
    case 'mongodb': {
      const { mongodb } = await import('ticklock/mongodb')
      return ownClient ? await overMongoClient(url) : { provider: mongodb(url), close }
    }
    case 'redis': {
      const { redis } = await import('ticklock/redis')
      return ownClient ? await overRedis(url) : { provider: redis(url), close }
    }
    case 'dynamodb': {
      const { dynamodb } = await import('ticklock/dynamodb')
      return ownClient ? await overDynamoDbClient(url) : { provider: dynamodb(url), close }
    }
    case 'etcd': {
      // It has no client to bring: every request is a fetch.
      const { etcd } = await import('ticklock/etcd')
      return { provider: etcd(url), close }
    }
    case 'nats': {
      const { nats } = await import('ticklock/nats')
      return ownClient ? await overNats(url) : { provider: nats(url), close }
    }
    case 'zookeeper': {
      // A client of one's own has to be replaced when its session ends, which chaos would do all the time.
      const { zookeeper } = await import('ticklock/zookeeper')
      return { provider: zookeeper(url), close }
    }
    case 'sqlite': {
      const { sqlite } = await import('ticklock/sqlite')
      // Processes that share a file share a machine and its clock, so the shift of this one's clock must not reach the file.
      const now = (): number => epoch + Number(process.hrtime.bigint()) / 1e6
      return { provider: sqlite({ path: url, now }), close }
    }
    default:
      throw new Error(`no such kind of store: ${kind}`)
  }
}

const allAtOnce = async (busy: () => Promise<unknown>): Promise<void> => {
  await Promise.allSettled(Array.from({ length: POOL_SIZE }, busy))
}

async function overPgPool(url: string): Promise<OpenedStore> {
  const [{ postgres }, { default: pg }] = await Promise.all([import('ticklock/postgres'), import('pg')])
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  })
  const fillPool = (ms: number): Promise<void> => allAtOnce(() => pool.query('SELECT pg_sleep($1)', [ms / 1_000]))
  return { provider: postgres(pool), fillPool, close: () => pool.end() }
}

async function overMysqlPool(uri: string): Promise<OpenedStore> {
  const [{ mysql }, { createPool }] = await Promise.all([import('ticklock/mysql'), import('mysql2/promise')])
  const pool = createPool({ uri, connectionLimit: POOL_SIZE, connectTimeout: 5_000 })
  const fillPool = (ms: number): Promise<void> => allAtOnce(() => pool.query('DO SLEEP(?)', [ms / 1_000]))
  return { provider: mysql(pool), fillPool, close: () => pool.end() }
}

async function overRedis(url: string): Promise<OpenedStore> {
  const [{ redis }, { Redis }] = await Promise.all([import('ticklock/redis'), import('ioredis')])
  // Sent once more by the driver, a command that blocks would fill the pool again when its time is long over.
  const client = new Redis(url, {
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    socketTimeout: 6_000,
    maxRetriesPerRequest: 3,
  })
  client.on('error', () => {})
  // One connection, on which nothing is answered while it blocks. Without one, the driver would send it when the fault is over.
  const fillPool = async (ms: number): Promise<void> => {
    if (client.status === 'ready') await client.blpop('ticklock-chaos-nobody-pushes-here', ms / 1_000).catch(() => {})
  }
  return { provider: redis(client), fillPool, close: async () => client.disconnect() }
}

async function overNats(url: string): Promise<OpenedStore> {
  const [{ nats }, { connect }] = await Promise.all([import('ticklock/nats'), import('@nats-io/transport-node')])
  const servers = url.replace('nats://', '')
  const connection = await connect({ servers, waitOnFirstConnect: true, maxReconnectAttempts: -1, pingInterval: 5_000 })
  return { provider: nats(connection), close: () => connection.close() }
}

async function overMongoClient(url: string): Promise<OpenedStore> {
  const [{ mongodb }, { MongoClient }] = await Promise.all([import('ticklock/mongodb'), import('mongodb')])
  const timeouts = { serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 5_000, socketTimeoutMS: 5_000 }
  // A client whose first connection fails is of no use any more, so who brings one connects it first.
  for (;;) {
    const client = new MongoClient(url, { maxPoolSize: POOL_SIZE, waitQueueTimeoutMS: 5_000, ...timeouts })
    try {
      await client.connect()
      return { provider: mongodb(client.db()), close: () => client.close() }
    } catch {
      await client.close().catch(() => {})
    }
  }
}

async function overDynamoDbClient(url: string): Promise<OpenedStore> {
  const [{ dynamodb }, { DynamoDBClient }] = await Promise.all([
    import('ticklock/dynamodb'),
    import('@aws-sdk/client-dynamodb'),
  ])
  const { protocol, username, password, host, searchParams } = new URL(url)
  const client = new DynamoDBClient({
    endpoint: `${protocol.slice('dynamodb+'.length)}//${host}`,
    region: searchParams.get('region') ?? '',
    credentials: { accessKeyId: username, secretAccessKey: password },
  })
  return { provider: dynamodb({ client }), close: async () => client.destroy() }
}
