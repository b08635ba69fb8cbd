import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { launchMariadb } from './mariadb.ts'
import { mysqlUrl, mysqlVersion } from './mysql-client.ts'
import type { ServerProcess } from './server-process.ts'
import { until } from './until.ts'

/** A primary and a replica that follows it by GTID. */
export interface MariadbPair {
  readonly primary: ServerProcess
  readonly replica: ServerProcess
  readonly version: string
  /** Lets the replica apply all that it has received, and makes it a primary. */
  promote(): Promise<void>
  stop(): Promise<void>
}

export interface PairOptions {
  /** The primary acknowledges only what the replica has received. */
  readonly semiSynchronous: boolean
  /** The port by which the replica reaches the primary, so that something may stand between them. @default the primary's own */
  linkPort?(primaryPort: number): Promise<number>
}

/** Starts a pair. */
export async function startMariadbPair({ semiSynchronous, linkPort }: PairOptions): Promise<MariadbPair> {
  const program = await findOrInstall('mariadb-server', 'mariadbd')
  const careful = ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1']
  const sourceOptions = semiSynchronous
    ? // Without a replica it waits, rather than going on alone after 10 s.
      ['--rpl-semi-sync-master-enabled=1', '--rpl-semi-sync-master-timeout=3600000']
    : []
  const replicaOptions = semiSynchronous ? ['--rpl-semi-sync-slave-enabled=1'] : []
  const binlog = ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW']
  const primary = await onFreePort((port) => launchMariadb('mariadb-primary', program, port, ...careful, ...binlog))
  try {
    const replica = await onFreePort((port) =>
      launchMariadb('mariadb-replica', program, port, ...careful, '--server-id=2', ...replicaOptions),
    )
    const from = (await linkPort?.(primary.port)) ?? primary.port
    await query(
      replica.port,
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${from}, MASTER_USER = 'root', MASTER_USE_GTID = slave_pos`,
    )
    await query(replica.port, 'START SLAVE')
    await until('the replica follows', async () => (await status(replica.port)).Slave_IO_Running === 'Yes')
    if (semiSynchronous) {
      for (const option of sourceOptions) await query(primary.port, `SET GLOBAL ${toVariable(option)}`)
      await until('the replica is semi-synchronous', async () => {
        const [row] = await query(primary.port, `SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'`)
        return row?.Value === '1'
      })
    }
    return {
      primary,
      replica,
      version: await mysqlVersion(mysqlUrl(primary.port)),
      promote: () => promote(replica.port),
      stop: async () => void (await Promise.all([primary.stop(), replica.stop()])),
    }
  } catch (error) {
    await primary.stop()
    throw error
  }
}

/** `--rpl-semi-sync-master-enabled=1` as a system variable's assignment. */
const toVariable = (option: string): string => option.slice(2).replaceAll('-', '_').replace('=', ' = ')

async function promote(port: number): Promise<void> {
  await query(port, 'STOP SLAVE IO_THREAD')
  await until('the replica has applied what it received', async () => {
    const {
      Read_Master_Log_Pos: read,
      Exec_Master_Log_Pos: applied,
      Slave_SQL_Running_State: state,
    } = await status(port)
    return read === applied && String(state).includes('has read all relay log')
  })
  await query(port, 'STOP SLAVE')
  await query(port, 'RESET SLAVE ALL')
}

async function status(port: number): Promise<{ readonly [column: string]: unknown }> {
  const [row] = await query(port, 'SHOW SLAVE STATUS')
  return row ?? {}
}

async function query(port: number, text: string): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 5_000 })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(text)
    return Array.isArray(rows) ? rows : []
  } finally {
    connection.destroy()
  }
}
