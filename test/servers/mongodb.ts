import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { startDocumentDb } from './documentdb.ts'
import { findProgram } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { ServerProcess } from './server-process.ts'
import { serverUser } from './system-user.ts'
import type { ServerKind, StartedServer } from './test-server.ts'
import { until } from './until.ts'

/** MongoDB's own server if it is on this machine; no Debian has it, so else DocumentDB. */
export const mongodb: ServerKind = {
  variable: 'TICKLOCK_TEST_MONGODB_URL',
  version: mongodbVersion,
  async start() {
    const program = findProgram('mongod')
    return program === undefined ? await startDocumentDb() : await onFreePort((port) => startMongod(program, port))
  },
}

async function mongodbVersion(url: string): Promise<string> {
  return await ask(url, async (client) => {
    const { version, documentdb } = await client.db('admin').command({ buildInfo: 1 })
    return documentdb ? `DocumentDB ${documentdb} as MongoDB ${version}` : `MongoDB ${version}`
  })
}

/** A replica set of one, so that its writes and sessions work as in production. */
async function startMongod(program: string, port: number): Promise<StartedServer> {
  const url = `mongodb://127.0.0.1:${port}/ticklock?directConnection=true`
  const server = await ServerProcess.launch({
    name: 'mongod',
    port,
    program,
    user: serverUser('mongodb'),
    prepare: async (folder) => {
      mkdirSync(join(folder, 'data'))
    },
    args: (folder) => [
      '--dbpath',
      join(folder, 'data'),
      '--port',
      String(port),
      '--bind_ip',
      '127.0.0.1',
      '--replSet',
      'rs0',
    ],
    probe: () => mongodbVersion(url),
  })
  try {
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
    await ask(url, (client) => client.db('admin').command({ replSetInitiate: { _id: 'rs0', members } }))
    await until('mongod is a primary', () =>
      ask(url, async (client) => (await client.db('admin').command({ hello: 1 })).isWritablePrimary === true),
    )
    return { url, processes: [server] }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function ask<T>(url: string, question: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 5_000 })
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}
