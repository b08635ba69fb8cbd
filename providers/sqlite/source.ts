import { statSync } from 'node:fs'
import { StoreError } from '../../src/errors.ts'
import { openDatabase, type SqliteDatabase } from './driver.ts'
import { refuseNetworkFileSystem } from './file-system.ts'
import { chooseJournal } from './journal.ts'
import type { Settings } from './options.ts'
import { LocksTable } from './table.ts'
import { BUSY_TIMEOUT } from './transaction.ts'

/** An open database with the table of locks. To be used at once, before the next `await`: it may be closed then. */
export interface Connection {
  readonly database: SqliteDatabase
  readonly table: LocksTable
  /** To be called inside each transaction that writes; throws when the file must not be written by this process. */
  readonly refuseUnsafeWrite: () => void
}

/** Where a provider has its connection from. */
export interface Source {
  connect(): Promise<Connection>
  close(): Promise<void>
}

export function sourceOf({ place, table }: Settings): Source {
  return 'path' in place ? new FileSource(place.path, table) : new GivenSource(place.database, table)
}

const closed = (): StoreError => new StoreError('the sqlite provider is closed: make a new one')

/** The user's own database: taken as it is, left open. */
class GivenSource implements Source {
  readonly #connection: Connection
  #closed = false

  constructor(database: SqliteDatabase, table: string) {
    this.#connection = { database, table: new LocksTable(database, table), refuseUnsafeWrite() {} }
  }

  async connect(): Promise<Connection> {
    if (this.#closed) throw closed()
    return this.#connection
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
  readonly #path: string
  readonly #table: string
  #opening: Promise<OpenFile> | undefined
  #closed = false

  constructor(path: string, table: string) {
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

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const open = await this.#opening?.catch(() => undefined)
    open?.connection.database.close()
  }

  async #open(): Promise<OpenFile> {
    await refuseNetworkFileSystem(this.#path)
    const database = await openDatabase(this.#path)
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
      const refuseUnsafeWrite = chooseJournal(database, this.#path)
      const table = new LocksTable(database, this.#table)
      table.ensure()
      return { connection: { database, table, refuseUnsafeWrite }, identity: identityOf(this.#path) }
    } catch (error) {
      database.close()
      throw error
    }
  }
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
