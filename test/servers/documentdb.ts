import pg from 'pg'
import { onFreePort } from './free-port.ts'
import { MongoWireServer } from './mongo-wire.ts'
import { INITDB_OPTIONS, POSTGRES_SETTINGS } from './postgres.ts'
import { ServerProcess } from './server-process.ts'
import { Sid } from './sid.ts'
import type { StartedServer } from './test-server.ts'

const PROGRAMS = '/usr/lib/postgresql/18/bin'
const SETTINGS = [
  ...POSTGRES_SETTINGS,
  '-c',
  'shared_preload_libraries=pg_cron,pg_documentdb_core,pg_documentdb',
  '-c',
  'cron.database_name=postgres',
  '-c',
  'timezone=UTC', // By another one, its $$NOW is wrong by the difference.
  '-c',
  'max_connections=400', // One for each connection of a driver, whose pools are large by default.
]

/** DocumentDB, the open engine that keeps BSON in PostgreSQL, behind a wire-protocol server in this process. */
export async function startDocumentDb(): Promise<StartedServer> {
  const sid = await Sid.open('mongod')
  const server = await onFreePort((port) => launch(sid, port))
  try {
    const wire = await onFreePort(async (port) => ({
      port,
      server: await MongoWireServer.listen(port, postgresUrl(server.port)),
    }))
    const url = `mongodb://127.0.0.1:${wire.port}/ticklock?directConnection=true`
    return { url, processes: [server], close: () => wire.server.close() }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function launch(sid: Sid, port: number): Promise<ServerProcess> {
  return await ServerProcess.launch(
    sid.command('postgres', {
      name: 'documentdb',
      port,
      stopSignal: 'SIGINT', // The fast shutdown: it doesn't wait for clients.
      prepare: (folder) => [`${PROGRAMS}/initdb`, ...INITDB_OPTIONS, '-D', `${folder}/data`],
      run: (folder) => [`${PROGRAMS}/postgres`, '-D', `${folder}/data`, '-p', String(port), ...SETTINGS],
      probe: () => createExtension(postgresUrl(port)),
    }),
  )
}

function postgresUrl(port: number): string {
  return `postgresql://postgres@127.0.0.1:${port}/postgres`
}

async function createExtension(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {}) // The query fails with it.
  try {
    await client.connect()
    await client.query('CREATE EXTENSION IF NOT EXISTS documentdb CASCADE')
  } finally {
    await client.end()
  }
}
