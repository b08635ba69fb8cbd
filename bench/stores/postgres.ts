import pg from 'pg'
import { postgres } from '../../providers/postgres/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

export async function measuredPostgres(url: string, connections: number): Promise<MeasuredStore> {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  const recorder = new Recorder(pool, [])
  // The provider takes a connection out of the pool for each statement. The floor is the pool's own query.
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      recorder.note(() => (pool.query as (...same: unknown[]) => Promise<unknown>).apply(pool, args))
      return query(...args)
    }) as typeof client.query
  })
  const provider = postgres(pool)
  await provider.setup()
  return {
    name: 'postgres',
    provider,
    connections,
    record: (work) => recorder.record(work),
    forget: () => pool.query('TRUNCATE ticklock'),
    readOne: (name) => pool.query('SELECT * FROM ticklock WHERE name = $1', [name]),
    async written() {
      const { rows } = await pool.query("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes")
      return Number(rows[0].bytes)
    },
    close: () => pool.end(),
  }
}
