/* The one place in src that knows the providers: which URL leads to which, loaded when it is wanted. */
import type { LockProvider } from '../provider/contract.ts'
import type { StoreOptionsConfig } from './config.ts'

export interface StoreKind {
  readonly name: string
  readonly schemes: readonly string[]
  /** The options that a store of this kind has besides its URL. */
  readonly options: readonly Exclude<keyof StoreOptionsConfig, 'url'>[]
  /** The packages that must be installed; none where Node.js or ticklock brings them along. */
  readonly drivers: readonly string[]
  /** Opens nothing yet. Throws `InvalidOptionError` for what the provider refuses. */
  open(options: StoreOptionsConfig): Promise<LockProvider>
  /** What makes the store ready, for people to run by hand; a comment where there is nothing to run. */
  statements(options: StoreOptionsConfig): Promise<string>
}

export const STORE_KINDS: readonly StoreKind[] = [
  {
    name: 'PostgreSQL',
    schemes: ['postgres', 'postgresql'],
    options: ['table'],
    drivers: ['pg'],
    open: async (options) => (await import('../../providers/postgres/index.ts')).postgres(options),
    statements: async ({ table }) => {
      const { postgresSetup, postgresHistorySetup } = await import('../../providers/postgres/index.ts')
      return `${postgresSetup(table)};\n\n${postgresHistorySetup(table)};`
    },
  },
  {
    name: 'MySQL',
    schemes: ['mysql', 'mariadb'],
    options: ['table'],
    drivers: ['mysql2'],
    open: async (options) => (await import('../../providers/mysql/index.ts')).mysql(options),
    statements: async ({ table }) => {
      const { mysqlSetup, mysqlHistorySetup } = await import('../../providers/mysql/index.ts')
      return [mysqlSetup(table), ...mysqlHistorySetup(table)].map((statement) => `${statement};`).join('\n\n')
    },
  },
  {
    name: 'MongoDB',
    schemes: ['mongodb', 'mongodb+srv'],
    options: ['database', 'collection'],
    drivers: ['mongodb'],
    open: async (options) => (await import('../../providers/mongodb/index.ts')).mongodb(options),
    statements: async ({ collection = 'ticklock' }) =>
      `// Nothing has to be run: MongoDB makes the collection with the first lock, and _id has its index. To make it beforehand, in mongosh:\ndb.createCollection(${JSON.stringify(collection)})\n// The user needs the role readWrite.`,
  },
  {
    name: 'Redis',
    schemes: ['redis', 'rediss', 'redis+unix', 'redis+sentinel', 'rediss+sentinel', 'redis+cluster', 'rediss+cluster'],
    options: ['prefix', 'shedlock'],
    drivers: ['ioredis'],
    open: async (options) => (await import('../../providers/redis/index.ts')).redis(options),
    statements: async (options) => {
      const { redisAccess } = await import('../../providers/redis/index.ts')
      return `# Nothing has to be run. Let the server evict no keys (or locks and last ticks may vanish), and the user run scripts on its keys:\nCONFIG SET maxmemory-policy noeviction\n# ACL SETUSER <user> on ><password> ${redisAccess(options)}`
    },
  },
  {
    name: 'DynamoDB',
    schemes: ['dynamodb', 'dynamodb+http', 'dynamodb+https'],
    options: ['table'],
    drivers: ['@aws-sdk/client-dynamodb'],
    open: async ({ url, table }) => (await import('../../providers/dynamodb/index.ts')).dynamodb({ url, table }),
    statements: async ({ table = 'ticklock' }) =>
      `aws dynamodb create-table --table-name ${table} --billing-mode PAY_PER_REQUEST \\\n  --attribute-definitions AttributeName=name,AttributeType=S --key-schema AttributeName=name,KeyType=HASH`,
  },
  {
    name: 'etcd',
    schemes: ['etcd', 'etcds'],
    options: ['prefix'],
    drivers: [],
    open: async ({ url, prefix }) => (await import('../../providers/etcd/index.ts')).etcd({ url, prefix }),
    statements: async ({ prefix = 'ticklock/' }) =>
      `# Nothing has to be run. Let etcd compact what it keeps of changed keys: --auto-compaction-retention=1h\n# Where users are enabled, the user needs this role:\netcdctl role grant-permission <role> --prefix=true readwrite ${prefix}`,
  },
  {
    name: 'NATS',
    schemes: ['nats', 'nats+tls'],
    options: ['bucket'],
    drivers: ['@nats-io/kv', '@nats-io/transport-node'],
    open: async ({ url, bucket }) => (await import('../../providers/nats/index.ts')).nats({ url, bucket }),
    statements: async ({ bucket = 'ticklock' }) =>
      `# Keep it on three servers where you have them: --replicas=3. It must have no TTL.\nnats kv add ${bucket} --history=1 --storage=file`,
  },
  {
    name: 'ZooKeeper',
    schemes: ['zookeeper'],
    options: ['root'],
    drivers: ['node-zookeeper-client'],
    open: async ({ url, root }) => (await import('../../providers/zookeeper/index.ts')).zookeeper({ url, root }),
    statements: async ({ root = '/ticklock' }) => `# In zkCli.sh, a level at a time:\ncreate ${root}`,
  },
  {
    name: 'SQLite',
    schemes: ['sqlite', 'file'],
    options: ['table'],
    drivers: [],
    open: async ({ url, table }) => (await import('../../providers/sqlite/index.ts')).sqlite({ url, table }),
    statements: async ({ table }) => {
      const { sqliteSetup, sqliteHistorySetup } = await import('../../providers/sqlite/index.ts')
      return [sqliteSetup(table), ...sqliteHistorySetup(table)].map((statement) => `${statement};`).join('\n')
    },
  },
  {
    name: 'HTTP',
    schemes: ['http', 'https'],
    options: ['token'],
    drivers: [],
    open: async ({ url, token }) => (await import('../../providers/http/index.ts')).http({ url, token }),
    statements: async () => '# Nothing has to be run: "ticklock serve" sets up the store behind it.',
  },
  {
    name: 'memory',
    schemes: ['memory'],
    options: [],
    drivers: [],
    open: async () => (await import('../../providers/memory/index.ts')).memory(),
    statements: async () => '-- Nothing has to be run: the locks are in the memory of one process.',
  },
]

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

export const SCHEMES: readonly string[] = STORE_KINDS.flatMap(({ schemes }) => schemes)

/** The scheme of a URL in lower case, or `undefined` for what is none. */
export const schemeOf = (url: string): string | undefined => SCHEME.exec(url)?.[1]?.toLowerCase()

/** The kind of store that a URL leads to. */
export function kindOf(url: string): StoreKind | undefined {
  const scheme = schemeOf(url)
  return STORE_KINDS.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme))
}
