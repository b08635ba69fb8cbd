import { createPool, type RowDataPacket } from 'mysql2/promise'
import { mysql } from '../../providers/mysql/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

/** For MySQL and MariaDB. */
export async function measuredMysql(name: string, url: string, connections: number): Promise<MeasuredStore> {
  const pool = createPool({ uri: url, connectionLimit: connections })
  const recorder = new Recorder(pool, ['query'])
  const provider = mysql(recorder.client)
  await provider.setup?.()
  return {
    name,
    provider,
    connections,
    record: (work) => recorder.record(work),
    forget: () => pool.query('DELETE FROM ticklock'),
    readOne: (key) => pool.query('SELECT * FROM ticklock WHERE name = ?', [key]),
    async written() {
      const [rows] = await pool.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'")
      return Number(rows[0]?.Value)
    },
    close: () => pool.end(),
  }
}
