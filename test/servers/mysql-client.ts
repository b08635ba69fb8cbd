import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'

const DATABASE = 'ticklock'

export function mysqlUrl(port: number): string {
  return `mysql://root@127.0.0.1:${port}/${DATABASE}`
}

/** Options of MariaDB and MySQL alike. A time zone that isn't UTC, so that no test relies on one. */
export function mysqlOptions(folder: string, port: number): string[] {
  return [
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 'server.sock')}`,
    `--pid-file=${join(folder, 'server.pid')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--max-connections=200',
    '--default-time-zone=+05:45',
    '--innodb-buffer-pool-size=64M',
  ]
}

export async function mysqlVersion(url: string): Promise<string> {
  const connection = await createConnection({ uri: url, connectTimeout: 5_000 })
  try {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version')
    const version = String(rows[0]?.version)
    return `${version.includes('MariaDB') ? 'MariaDB' : 'MySQL'} ${version}`
  } finally {
    connection.destroy()
  }
}

/** The first thing that a new server is asked. */
export async function createDatabase(port: number): Promise<void> {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 5_000 })
  try {
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4`)
  } finally {
    connection.destroy()
  }
}
