import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { runProgram } from './run-program.ts'
import { ServerProcess } from './server-process.ts'
import { serverUser } from './system-user.ts'
import type { ServerKind, StartedServer } from './test-server.ts'

/** PostgreSQL: the newest on this machine. */
export const postgres: ServerKind = {
  variable: 'TICKLOCK_TEST_POSTGRES_URL',
  version: postgresVersion,
  async start() {
    const program = await findOrInstall('postgresql', 'postgres')
    return await onFreePort((port) => startPostgres(program, port))
  },
}

/** What never matters for a throw-away server, and a time zone that isn't UTC, so that no test relies on one. */
export const POSTGRES_SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'fsync=off',
  'timezone=Asia/Kathmandu',
].flatMap((setting) => ['-c', setting])

export const INITDB_OPTIONS = '-U postgres -A trust -E UTF8 --no-locale --no-sync'.split(' ')

export async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {}) // A server that is on its way up or down; the query tells.
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return `PostgreSQL ${rows[0]?.server_version}`
  } finally {
    await client.end()
  }
}

export const postgresUrl = (port: number): string => `postgresql://postgres@127.0.0.1:${port}/postgres`

async function startPostgres(program: string, port: number): Promise<StartedServer> {
  const server = await launchPostgres('postgres', program, port)
  return { url: postgresUrl(port), processes: [server] }
}

/** One PostgreSQL with these options on top of the usual ones. */
export async function launchPostgres(
  name: string,
  program: string,
  port: number,
  ...options: readonly string[]
): Promise<ServerProcess> {
  const user = serverUser('postgres')
  return await ServerProcess.launch({
    name,
    port,
    program,
    user,
    stopSignal: 'SIGINT', // The fast shutdown: it doesn't wait for clients.
    prepare: async (folder) => {
      const initdb = join(dirname(realpathSync(program)), 'initdb')
      await runProgram(initdb, [...INITDB_OPTIONS, '-D', join(folder, 'data')], { ...user, cwd: folder })
    },
    args: (folder) => ['-D', join(folder, 'data'), '-p', String(port), ...POSTGRES_SETTINGS, ...options],
    probe: () => postgresVersion(postgresUrl(port)),
  })
}
