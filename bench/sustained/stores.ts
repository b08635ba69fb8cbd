import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { postgres } from '../../providers/postgres/index.ts'

/** What a store has done and has come to. */
export interface StoreState {
  /** MB of the table with its indexes, or of the memory in use. */
  readonly size: number
  /** Updates of rows so far, and how many of them were HOT. */
  readonly updates?: number
  readonly hot?: number
  /** Bytes of the log so far. */
  readonly log?: number
}

export const STORES = ['postgres', 'redis'] as const
export type StoreName = (typeof STORES)[number]

/** Makes the tables, also that of the history. */
export async function setUp(store: StoreName, url: string): Promise<void> {
  if (store === 'redis') return
  const provider = postgres(url)
  await provider.setup()
  await provider.history?.setup?.()
  await provider.close()
}

export const stateOf = (store: StoreName, url: string): Promise<StoreState> =>
  store === 'postgres' ? postgresState(url) : redisState(url)

async function postgresState(connectionString: string): Promise<StoreState> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query(`
      SELECT pg_total_relation_size(relid) / 1e6 AS size, n_tup_upd AS updates, n_tup_hot_upd AS hot,
        pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS log
      FROM pg_stat_user_tables WHERE relname = 'ticklock'`)
    const [{ size, updates, hot, log }] = rows
    return { size: Number(size), updates: Number(updates), hot: Number(hot), log: Number(log) }
  } finally {
    await client.end()
  }
}

async function redisState(url: string): Promise<StoreState> {
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port) })
  socket.end('INFO memory\r\n')
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await once(socket, 'end')
  return { size: Number(/^used_memory:(\d+)/m.exec(text)?.[1]) / 1e6 }
}
