import pg from 'pg'
import { redisClient, type ServerName } from '../../test/servers/index.ts'

/**
 * How much a store has done so far: Redis' commands, PostgreSQL's transactions (a statement outside of any is one). Undefined for a store that
 * doesn't count, or is down.
 */
export async function storeWork(store: ServerName, url: string): Promise<number | undefined> {
  try {
    if (store === 'redis') return await redisCommands(url)
    return store === 'postgres' ? await postgresTransactions(url) : undefined
  } catch {
    return undefined
  }
}

async function redisCommands(url: string): Promise<number> {
  const client = redisClient(url, { maxRetriesPerRequest: 1 })
  client.on('error', () => {})
  try {
    return Number(/^total_commands_processed:(\d+)/m.exec(await client.info('stats'))?.[1])
  } finally {
    client.disconnect()
  }
}

async function postgresTransactions(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query(
      'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
    )
    return Number(rows[0].n)
  } finally {
    await client.end()
  }
}
