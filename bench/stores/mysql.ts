import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import { mysql } from '../../providers/mysql/index.ts'
import { type MeasuredStore, Recorder } from './store.ts'

/** For MySQL and MariaDB. */
export async function measuredMysql(name: string, url: string, connections: number): Promise<MeasuredStore> {
  const pool = createPool({ uri: url, connectionLimit: connections })
  const recorder = new Recorder(pool, ['query'])
  const provider = mysql(noted(pool, recorder))
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

/**
 * The provider takes a connection out of the pool and queries on that. What is made again for the floor is the pool's own query: of all ways through the
 * client the one with the least work.
 */
const noted = (pool: Pool, recorder: Recorder<Pool>) => ({
  query: (sql: string, values: (Buffer | number)[]) => recorder.client.query(sql, values),
  async getConnection() {
    const connection = await pool.getConnection()
    if (!recorder.recording) return connection
    return {
      query(sql: string, values: (Buffer | number)[]) {
        recorder.note(() => pool.query(sql, values))
        return connection.query(sql, values)
      },
      release: () => connection.release(),
      destroy: () => connection.destroy(),
    }
  },
})
