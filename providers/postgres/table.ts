import { StoreError } from '../../src/errors.ts'
import { quoteTable } from '../../src/provider/sql.ts'
import type { Widths } from './check-lengths.ts'
import { type Bounds, type Connection, connectionTo } from './client.ts'
import { Layout } from './layout.ts'
import type { Settings } from './options.ts'
import { codeOf, type Statement } from './prepared.ts'
import { postgresSetup } from './statements/setup.ts'

/** How often a statement is sent when the server gives up on it because of the session's isolation. */
const ATTEMPTS = 10

/** The server undid everything, and the statement may be repeated: in sessions whose isolation isn't READ COMMITTED. */
const SERIALIZATION_FAILURE = '40001'

/** The table of locks, as statements reach it. Its layout is checked before the first of them. */
export class Table {
  readonly name: string
  /** Quoted, with its schema if one was given. */
  readonly quoted: string
  readonly connection: Connection
  readonly #layout: Layout

  constructor(settings: Settings) {
    this.name = settings.table
    this.quoted = quoteTable(settings.table, '"')
    this.connection = connectionTo(settings)
    this.#layout = new Layout(this.name, this.quoted, (statement, values) => this.connection.query(statement, values))
  }

  /** How wide the columns are. `anew`: somebody may have widened them. */
  widths(anew = false): Promise<Widths> {
    if (anew) this.#layout.forget()
    return this.#layout.widths()
  }

  /** Runs a statement that begins as statements/call.ts says. */
  call<Row>(statement: Statement, values: readonly unknown[], bounds: Bounds): Promise<readonly Row[]> {
    return this.#attempt(() => this.connection.call(statement, values, bounds))
  }

  /** Runs a statement that waits for no lock. */
  query<Row>(statement: Statement, values: readonly unknown[], timeout?: number): Promise<readonly Row[]> {
    return this.#attempt(() => this.connection.query(statement, values, timeout))
  }

  async setup(): Promise<void> {
    await this.widths(true) // Refuses to make a table whose name differs from another one's by case alone.
    await this.connection.once(postgresSetup(this.name))
    this.#layout.forget()
  }

  async #attempt<Row>(send: () => Promise<readonly unknown[]>): Promise<readonly Row[]> {
    await this.#layout.widths()
    for (let attempt = 1; ; attempt++) {
      try {
        return (await send()) as readonly Row[]
      } catch (error) {
        // Another try is safe: what failed was undone as a whole.
        if (codeOf(error) !== SERIALIZATION_FAILURE || attempt === ATTEMPTS) throw explain(error, this.name)
      }
    }
  }
}

/** PostgreSQL's undefined_table and undefined_column are what the user can repair. Anything else is passed on as it is. */
function explain(error: unknown, table: string): unknown {
  const wrong = { '42P01': 'does not exist', '42703': 'lacks columns of ticklock' }[String(codeOf(error))]
  if (wrong === undefined) return error
  const way = `call setup() of the provider once, or put what postgresSetup('${table}') returns into a migration`
  return new StoreError(`postgres: the table ${table} ${wrong}; ${way}`, { cause: error })
}
