import { BSON } from 'bson'
import pg from 'pg'
import { errorReply, withMongoCodes } from './mongo-errors.ts'
import type { MongoCommand } from './mongo-message.ts'
import { bindNow, mentionsNow } from './mongo-now.ts'
import { ACTIONS, STATEMENTS, STATEMENTS_IN_TRANSACTION } from './mongo-statements.ts'

const HELLO = {
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 25_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21, // MongoDB 7.0
  readOnly: false,
}
const DONE = { ok: 1 }
const ALL_IN_ONE = new BSON.Int32(2 ** 31 - 1)

/** One driver connection's way to DocumentDB, over a connection of its own, so that concurrency is real. */
export class MongoSession {
  readonly #url: string
  #client: Promise<pg.Client> | undefined
  #inTransaction = false
  /** The bound of a command that the connection has, in ms; 0 is none. */
  #bound = 0

  constructor(postgresUrl: string) {
    this.#url = postgresUrl
  }

  /** Answers as MongoDB does. Throws when the database is gone: then the driver's connection must break too. */
  async answer(command: MongoCommand): Promise<Uint8Array> {
    try {
      return (await this.#fixed(command)) ?? (await this.#run(command))
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || !error.code || /^(08|57P)/.test(error.code)) throw error
      return BSON.serialize(errorReply(error.code, error.message))
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.end()
  }

  /** What a driver asks on its own account. */
  async #fixed({ name }: MongoCommand): Promise<Uint8Array | undefined> {
    switch (name.toLowerCase()) {
      case 'hello':
      case 'ismaster':
        return BSON.serialize({ ...HELLO, localTime: new Date(), ok: 1 })
      case 'buildinfo':
        return BSON.serialize({ version: '7.0.0', versionArray: [7, 0, 0, 0], documentdb: await this.#engine(), ok: 1 })
      case 'ping':
      case 'endsessions':
      case 'killcursors':
      case 'killsessions':
        return BSON.serialize(DONE)
      default:
        return undefined
    }
  }

  async #run(command: MongoCommand): Promise<Uint8Array> {
    const { name, database, target } = command
    const client = await this.#connected()
    await this.#transact(command, client)
    await this.#limit(command, client)
    const statements = this.#inTransaction ? STATEMENTS_IN_TRANSACTION : STATEMENTS
    const statement = statements[name === 'findandmodify' ? 'findAndModify' : name]
    if (statement) {
      const values = [database, await this.#adapted(command, client)]
      const { rows } = await client.query<{ p_result: string; p_success?: boolean }>(statement, values)
      const [row] = rows
      if (!row) throw new Error(`${name} answered nothing`)
      const reply = fromText(row.p_result)
      return row.p_success === false ? BSON.serialize(withMongoCodes(BSON.deserialize(reply))) : reply
    }
    if (name === 'commitTransaction' || name === 'abortTransaction') return BSON.serialize(DONE)
    const action = ACTIONS[name]
    if (!action)
      return BSON.serialize({ ok: 0, errmsg: `no such command: '${name}'`, code: 59, codeName: 'CommandNotFound' })
    await client.query(action, [database, String(target)])
    return BSON.serialize(DONE)
  }

  /** A transaction belongs to the connection here, so a client that begins one must have one connection alone. */
  async #transact({ name, document }: MongoCommand, client: pg.Client): Promise<void> {
    if (document.startTransaction === true) {
      await client.query('BEGIN')
      this.#inTransaction = true
    } else if (name === 'commitTransaction' || name === 'abortTransaction') {
      await client.query(name === 'commitTransaction' ? 'COMMIT' : 'ROLLBACK')
      this.#inTransaction = false
    }
  }

  /** Lets the engine end a command after its `maxTimeMS`, whatever it waits for. */
  async #limit({ document }: MongoCommand, client: pg.Client): Promise<void> {
    const bound = Number(document.maxTimeMS ?? 0)
    if (bound === this.#bound) return
    await client.query(`SET statement_timeout = ${Math.ceil(bound)}`)
    this.#bound = bound
  }

  /** The command in a form that means the same to DocumentDB. */
  async #adapted({ name, bytes }: MongoCommand, client: pg.Client): Promise<Uint8Array> {
    const paged = name === 'find' || name === 'aggregate' ? inOnePage(name, bytes) : bytes
    if (!mentionsNow(paged)) return paged
    const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    return bindNow(paged, rows[0]?.now ?? new Date())
  }

  async #engine(): Promise<string> {
    const client = await this.#connected()
    const { rows } = await client.query<{ version: string }>('SELECT documentdb_api.binary_version() AS version')
    return rows[0]?.version ?? ''
  }

  async #connected(): Promise<pg.Client> {
    this.#client ??= connect(this.#url)
    return await this.#client
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // The next query fails with it.
  await client.connect()
  return client
}

/**
 * DocumentDB ties an open cursor to a session of PostgreSQL, and a driver may ask for more over any connection. So
 * every result is answered whole, which saves us the cursors; the driver doesn't mind a batch that is larger than asked.
 */
function inOnePage(name: string, bytes: Uint8Array): Uint8Array {
  const document = BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true })
  if (name === 'find') document.batchSize = ALL_IN_ONE
  else document.cursor = { batchSize: ALL_IN_ONE }
  return BSON.serialize(document)
}

/** As PostgreSQL shows a BSON document: BSONHEX and the digits. */
function fromText(bson: string): Buffer {
  return Buffer.from(bson.slice('BSONHEX'.length), 'hex')
}
