/* Sessions of other programs, and providers whose statements can be interfered with. */
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { mysql } from '../../providers/mysql/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import type { Belongings } from './mysql-harness.ts'

/** A connection of another program, inside a transaction that has locked the record of a name, or the gap where it would be. */
export async function lockRow(own: Belongings, table: string, name: string): Promise<Connection> {
  const other = await own.newConnection()
  await other.beginTransaction()
  await other.query(`SELECT * FROM ${table} WHERE name = ? FOR UPDATE`, [name])
  return other
}

/** A provider on one session of its own, with these settings. */
export async function withSettings(own: Belongings, table: string, settings: string): Promise<LockProvider> {
  const connection = await own.newConnection()
  await connection.query(`SET SESSION ${settings}`)
  return mysql({ connection, table })
}

/** A provider before whose first write something else happens, when it has decided what to write. */
export function disturbedBy(own: Belongings, table: string, happens: () => Promise<unknown>): LockProvider {
  let isFirst = true
  const pool = {
    async query(sql: string, values: (Buffer | number)[]) {
      if (isWrite(sql) && isFirst) {
        isFirst = false
        await happens()
      }
      return own.pool.query(sql, values)
    },
  }
  return mysql({ pool, table })
}

/** The statements have a bound before their verb. */
export const isWrite = (sql: string): boolean => / ?(UPDATE|INSERT|DELETE) \/\*\+/.test(sql)

/** The statements about a table that run or wait on the server. */
export async function running(own: Belongings, table: string): Promise<readonly string[]> {
  const [rows] = await own.pool.query<RowDataPacket[]>(
    'SELECT info FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
    [`%${table}%`],
  )
  return rows.map(({ info, INFO }) => String(info ?? INFO))
}
