import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { StoreError } from '../../src/errors.ts'
import { BUSY_TIMEOUT } from './busy.ts'
import { openDatabase, type SqliteDatabase } from './driver.ts'
import { explainFault, isLostConnection, isWrongStatement } from './errors.ts'
import { refuseNetworkFileSystem } from './file-system.ts'
import { chooseJournal } from './journal-mode.ts'
import type { Settings } from './options.ts'
import { LocksTable } from './records.ts'

/** An open database with the table of locks. To be used at once, before the next `await`: it may be closed then. */
export interface Connection {
  readonly database: SqliteDatabase
  readonly table: LocksTable
  /** To be called inside each transaction that writes; throws when the file must not be written by this process. */
  readonly refuseUnsafeWrite: () => void
}

/** Where a provider has its connection from. */
export interface Source {
  /** What errors call it. */
  readonly file: string
  connect(): Promise<Connection>
  /** Called with what work on a connection threw; returns what to throw in its place. */
  explain(error: unknown, connection: Connection): unknown
  close(): Promise<void>
}

export function sourceOf({ place, table }: Settings): Source {
  return 'path' in place ? new FileSource(place.path, table) : new GivenSource(place.database, table)
}

const closed = (): StoreError => new StoreError('the sqlite provider is closed: make a new one')

/** The user's own database: taken as it is, left open. */
class GivenSource implements Source {
  readonly file = 'the SQLite database'
  readonly #connection: Connection
  #closed = false

  constructor(database: SqliteDatabase, table: string) {
    this.#connection = { database, table: new LocksTable(database, table), refuseUnsafeWrite() {} }
  }

  async connect(): Promise<Connection> {
    if (this.#closed) throw closed()
    return this.#connection
  }

  explain(error: unknown, { table }: Connection): unknown {
    return explainFault(table.explain(error), this.file)
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

interface OpenFile {
  readonly connection: Connection
  readonly identity: string | undefined
}

/** A file that is opened at the first use, and made with its table when it isn't there. */
class FileSource implements Source {
  readonly file: string
  readonly #path: string
  readonly #table: string
  #opening: Promise<OpenFile> | undefined
  #closed = false

  constructor(path: string, table: string) {
    this.file = `the SQLite file ${path}`
    this.#path = path
    this.#table = table
  }

  async connect(): Promise<Connection> {
    if (this.#closed) throw closed()
    this.#opening ??= this.#open()
    const opening = this.#opening
    const forget = (): boolean => {
      if (this.#opening !== opening) return false
      this.#opening = undefined
      return true
    }
    const { connection, identity } = await opening.catch((error: unknown) => {
      forget() // The next call tries again.
      throw error
    })
    // Somebody deleted or replaced the file: whoever opens it now has another one, and would be granted what we hold in ours.
    if (identity !== identityOf(this.#path)) {
      if (forget()) connection.database.close()
      return this.connect()
    }
    if (this.#closed) throw closed()
    return connection
  }

  explain(error: unknown, { database, table }: Connection): unknown {
    const explained = explainFault(table.explain(error), this.file)
    if (isLostConnection(error)) void this.#discard(database)
    return explained
  }

  /** The next call opens the file anew: its rights, or what is wrong with it, may have been put right by then. */
  async #discard(database: SqliteDatabase): Promise<void> {
    const opening = this.#opening
    const opened = await opening?.catch(() => undefined)
    if (opened?.connection.database !== database || this.#opening !== opening) return
    this.#opening = undefined
    database.close()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const open = await this.#opening?.catch(() => undefined)
    open?.connection.database.close()
  }

  async #open(): Promise<OpenFile> {
    await refuseNetworkFileSystem(this.#path)
    const database = await openDatabase(this.#path, () => makePrivate(this.#path))
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
      readSchema(database, this.file)
      const refuseUnsafeWrite = chooseJournal(database, this.#path)
      const table = new LocksTable(database, this.#table)
      table.ensure()
      return { connection: { database, table, refuseUnsafeWrite }, identity: identityOf(this.#path) }
    } catch (error) {
      database.close()
      throw explainFault(error, this.file)
    }
  }
}

/** A statement that can't be wrong: when SQLite says that it is, it doesn't know the file's format. */
function readSchema(database: SqliteDatabase, file: string): void {
  try {
    database.prepare('SELECT count(*) FROM sqlite_master').get()
  } catch (cause) {
    if (!isWrongStatement(cause)) throw cause
    throw new StoreError(
      `${file} was made by a later SQLite than the one of this process: update Node.js or the driver`,
      {
        cause,
      },
    )
  }
}

/**
 * Makes a file that isn't there, for its owner alone: holders and metadata are nobody else's business. SQLite gives journal and WAL the
 * file's own mode. A file that is there keeps its mode.
 */
async function makePrivate(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
