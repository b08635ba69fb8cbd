import { once } from 'node:events'
import { connect } from 'node:net'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import type { ServerName, TestServer } from '../../test/servers/index.ts'

/** How long a store is waited for, in ms. */
const TIMEOUT = 5_000

/**
 * How much a store has done so far, by its own count: Redis' commands, PostgreSQL's statements, MongoDB's operations. Asking is one of them itself. Undefined for
 * a store that doesn't count, or is down.
 */
export async function storeWork(store: ServerName, url: string): Promise<number | undefined> {
  try {
    const done = await counts[store]?.(url)
    return Number.isFinite(done) ? done : undefined
  } catch {
    return undefined
  }
}

/** What was done between two answers of {@link storeWork}, without the first one's own asking; NaN where one is missing. */
export const workBetween = (before: number | undefined, after: number | undefined): number =>
  before === undefined || after === undefined ? Number.NaN : after - before - 1

/**
 * Lets a server of our own count its statements. What a statement has done counts from the moment of its end, while pg_stat_database hears of it from each
 * session up to ten seconds later. A server that was given by its URL has to do so already.
 */
export async function countStatements(server: TestServer): Promise<void> {
  const [own] = server.processes
  if (own) {
    await query(server.url, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    // Twenty processes with a pool of ten each, as drivers have it, and us.
    await query(server.url, 'ALTER SYSTEM SET max_connections = 500')
    await own.kill()
    await own.start()
  }
  await query(server.url, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements').catch(() => {})
}

const counts: Partial<Record<ServerName, (url: string) => Promise<number>>> = {
  redis: redisCommands,
  postgres: postgresStatements,
  mongodb: mongodbOperations,
}

/** Over a bare socket: a client would send commands of its own. */
async function redisCommands(url: string): Promise<number> {
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port), timeout: TIMEOUT })
  socket.on('timeout', () => socket.destroy(new Error('timeout')))
  try {
    socket.end('INFO stats\r\n')
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    await once(socket, 'end')
    return Number(/^total_commands_processed:(\d+)/m.exec(text)?.[1])
  } finally {
    socket.destroy()
  }
}

async function postgresStatements(url: string): Promise<number> {
  return Number(await query(url, 'SELECT sum(calls) FROM pg_stat_statements'))
}

/** The first value of the first row. */
async function query(connectionString: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: TIMEOUT, query_timeout: TIMEOUT })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query({ text, rowMode: 'array' })
    return rows[0]?.[0]
  } finally {
    await client.end()
  }
}

async function mongodbOperations(url: string): Promise<number> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: TIMEOUT })
  try {
    const { opcounters } = await client.db('admin').command({ serverStatus: 1 })
    return Object.values(opcounters as Record<string, number>).reduce((sum, count) => sum + Number(count), 0)
  } finally {
    await client.close()
  }
}
