import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { ServerProcess } from './server-process.ts'
import { serverUser } from './system-user.ts'

/** A PgBouncer before a PostgreSQL: each transaction gets a connection of its own, and start-up parameters are rejected, as by default. */
export interface PgBouncer {
  readonly url: string
  stop(): Promise<void>
}

/** @param size how many connections to the server it opens */
export async function startPgBouncer(postgresUrl: string, size = 20): Promise<PgBouncer> {
  const program = await findOrInstall('pgbouncer', 'pgbouncer')
  const user = serverUser('postgres')
  const target = new URL(postgresUrl)
  const urlOf = (port: number): string => {
    const url = new URL(postgresUrl)
    url.port = String(port)
    return String(url)
  }
  const server = await onFreePort((port) =>
    ServerProcess.launch({
      name: `pgbouncer-${randomUUID().slice(0, 8)}`,
      port,
      program,
      user,
      async prepare(folder) {
        const ini = `
          [databases]
          * = host=${target.hostname} port=${target.port} user=${target.username}
          [pgbouncer]
          listen_addr = 127.0.0.1
          listen_port = ${port}
          unix_socket_dir =
          auth_type = any
          pool_mode = transaction
          default_pool_size = ${size}`
        await writeFile(join(folder, 'pgbouncer.ini'), ini.replace(/^ +/gm, ''), { mode: 0o644 })
      },
      args: (folder) => [join(folder, 'pgbouncer.ini')],
      async probe() {
        const client = new pg.Client({ connectionString: urlOf(port), connectionTimeoutMillis: 5_000 })
        client.on('error', () => {})
        try {
          await client.connect()
          await client.query('SELECT 1')
        } finally {
          await client.end()
        }
      },
    }),
  )
  return { url: urlOf(server.port), stop: () => server.stop() }
}
