import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import { type MysqlClient, mysql } from '../../providers/mysql/index.ts'
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
const noted = (pool: Pool, recorder: Recorder<Pool>): MysqlClient =>
  new Proxy(pool, {
    get: (target, property) => (property === 'pool' ? notedInner(pool, recorder) : Reflect.get(target, property)),
  })

const notedInner = (pool: Pool, recorder: Recorder<Pool>): Pool['pool'] =>
  new Proxy(pool.pool, {
    get(target, property) {
      if (property !== 'getConnection' || !recorder.recording) {
        const value: unknown = Reflect.get(target, property)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (done: Parameters<typeof target.getConnection>[0]) =>
        target.getConnection((error, connection) => {
          if (error) return done(error, connection)
          const query = (sql: string, values: (Buffer | number)[], answered: () => void) => {
            recorder.note(() => pool.query(sql, values))
            return connection.query(sql, values, answered)
          }
          const noted = { query, release: () => connection.release(), destroy: () => connection.destroy() }
          done(error, noted as unknown as typeof connection)
        })
    },
  })
