import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { launchPostgres, postgresUrl, postgresVersion } from './postgres.ts'
import { runProgram } from './run-program.ts'
import { ServerProcess } from './server-process.ts'
import { serverUser } from './system-user.ts'
import { until } from './until.ts'

/** A primary and a standby that streams from it. */
export interface PostgresPair {
  readonly primary: ServerProcess
  readonly standby: ServerProcess
  readonly version: string
  /** Makes the standby a primary; resolves when it takes writes. */
  promote(): Promise<void>
  stop(): Promise<void>
}

export interface PairOptions {
  /** The primary acknowledges only what the standby has on its disk. */
  readonly synchronous: boolean
  /** The port by which the standby reaches the primary, so that something may stand between them. @default the primary's own */
  linkPort?(primaryPort: number): Promise<number>
}

/** Starts a pair. */
export async function startPostgresPair({ synchronous, linkPort }: PairOptions): Promise<PostgresPair> {
  const program = await findOrInstall('postgresql', 'postgres')
  const primary = await onFreePort((port) => launchPostgres('postgres-primary', program, port, '-c', 'fsync=on'))
  try {
    const link = (await linkPort?.(primary.port)) ?? primary.port
    const standby = await onFreePort((port) => launchStandby(program, port, link))
    await until('the standby streams', async () => {
      const [row] = await query(primary.port, 'SELECT state FROM pg_stat_replication')
      return row?.state === 'streaming'
    })
    if (synchronous) await synchronize(primary.port)
    return {
      primary,
      standby,
      version: await postgresVersion(postgresUrl(primary.port)),
      promote: async () => void (await query(standby.port, 'SELECT pg_promote(true, 30)')),
      stop: async () => void (await Promise.all([primary.stop(), standby.stop()])),
    }
  } catch (error) {
    await primary.stop()
    throw error
  }
}

async function launchStandby(program: string, port: number, primaryPort: number): Promise<ServerProcess> {
  const user = serverUser('postgres')
  return await ServerProcess.launch({
    name: 'postgres-standby',
    port,
    program,
    user,
    stopSignal: 'SIGINT',
    prepare: async (folder) => {
      const from = ['-h', '127.0.0.1', '-p', String(primaryPort), '-U', 'postgres']
      const options = ['-D', join(folder, 'data'), '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
      const backup = join(dirname(realpathSync(program)), 'pg_basebackup')
      await runProgram(backup, [...from, ...options], { ...user, cwd: folder })
    },
    args: (folder) => ['-D', join(folder, 'data'), '-p', String(port), ...standbySettings],
    probe: () => postgresVersion(postgresUrl(port)),
  })
}

const standbySettings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'].flatMap(
  (setting) => ['-c', setting],
)

async function synchronize(port: number): Promise<void> {
  await query(port, `ALTER SYSTEM SET synchronous_standby_names = '*'`)
  await query(port, 'SELECT pg_reload_conf()')
  await until('the standby is synchronous', async () => {
    const [row] = await query(port, 'SELECT sync_state FROM pg_stat_replication')
    return row?.sync_state === 'sync'
  })
}

async function query(port: number, text: string): Promise<{ readonly [column: string]: unknown }[]> {
  const client = new pg.Client({ connectionString: postgresUrl(port), connectionTimeoutMillis: 5_000 })
  client.on('error', () => {}) // The query tells.
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
