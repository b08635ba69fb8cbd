/* Rows that somebody else has locked, and sessions that wait for them. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { mysql } from '../../providers/mysql/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import type { Belongings } from './mysql-harness.ts'

/** A connection of another program, inside a transaction that has locked the record of a name. */
export async function lockRow({ url }: Belongings, table: string, name: string): Promise<Connection> {
  const other = await createConnection(url)
  await other.beginTransaction()
  await other.query(`SELECT * FROM ${table} WHERE name = ? FOR UPDATE`, [name])
  return other
}

export interface Session {
  readonly provider: LockProvider
  /** Resolves when the server says that the session waits for a row. */
  untilWaiting(): Promise<void>
}

/** A provider on one session of its own, with these settings. */
export async function newSession(own: Belongings, table: string, settings: string): Promise<Session> {
  const waiter = own.newPool({ connectionLimit: 1 })
  await waiter.query(`SET SESSION ${settings}`)
  const [ids] = await waiter.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id')
  const waits = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ? AND trx_state = 'LOCK WAIT'"
  return {
    provider: mysql({ pool: waiter, table }),
    async untilWaiting() {
      for (;;) {
        const [rows] = await own.pool.query<RowDataPacket[]>(waits, [ids[0]?.id])
        if (rows.length > 0) return
        // The view is made anew only when nobody has read it for a tenth of a second.
        await pause(150)
      }
    },
  }
}
