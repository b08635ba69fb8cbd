import pg from 'pg'
import { postgres } from '../../providers/postgres/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

export async function measuredPostgres(url: string, connections: number): Promise<MeasuredStore> {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  const recorder = new Recorder(pool, ['query'])
  const provider = postgres(recorder.client)
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
