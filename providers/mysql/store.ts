import { StoreError } from '../../src/errors.ts'
import type { LockRecord } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { quoteTable } from '../../src/provider/sql.ts'
import { bytes, change, type MysqlClient, type Source, select } from './client.ts'
import { COLUMN_NAMES, checkText, type Layout, layoutOf } from './layout.ts'
import { parcels } from './parcels.ts'
import { asKept, type Change, clockOf, entryOf, lockOf, unhex } from './record.ts'
import { mysqlSetup, setUp } from './setup.ts'
import { type Statements, statementsFor } from './statements.ts'

/** What stands in the store for some names. */
export interface Facts {
  /** In the order of the names asked for. */
  readonly records: readonly (StoredLock | undefined)[]
  /** The store's clock when it was read. */
  readonly now: number
  /** A record as the columns will hold it: a lease is rounded up, what is set free is free at once. */
  asKept(lock: StoredLock): StoredLock
}

/** What came of some changes. */
export interface Written {
  /** Changes that were not made, or of which that isn't known: look at the facts again. */
  readonly open: readonly Change[]
  /** Those of them that may have been made: the server tells how many changes a statement made, not which. */
  readonly doubtful: ReadonlySet<Change>
  /** The error of a statement that stood in the way of another, and was given up by the server. */
  readonly obstacle: unknown
}

interface Table {
  readonly client: MysqlClient
  readonly layout: Layout
  readonly sql: Statements
}

/** No such table, no such column. */
const NOT_SET_UP = new Set<unknown>([1146, 1054])
/** A deadlock; too long a wait for a row; a row changed since the statement began (MariaDB's innodb_snapshot_isolation). */
const IN_THE_WAY = new Set<unknown>([1213, 1205, 1020])

const codeOf = (error: unknown): unknown => (error as { readonly errno?: unknown } | undefined)?.errno

/** The table of locks: what stands in it, and changes to it. It decides nothing. */
export class LocksTable {
  readonly #source: Source
  readonly #table: string
  #known: Promise<Omit<Table, 'client'>> | undefined

  constructor(source: Source, table: string) {
    this.#source = source
    this.#table = table
  }

  facts(names: readonly string[]): Promise<Facts> {
    return this.#use(async ({ client, layout, sql }) => {
      for (const name of names) checkText(name, 'name', layout.name)
      const records: (StoredLock | undefined)[] = []
      let now = Number.NaN
      const read = async (from: number, statement: string, asked: string): Promise<void> => {
        for (const [ordinal, ...row] of await select(client, statement, [bytes(asked)])) {
          const index = from + Number(ordinal) - 1
          now = clockOf(row)
          records[index] = lockOf(names[index] as string, row)
        }
      }
      const [only] = names
      if (names.length === 1 && only !== undefined) await read(0, sql.factsOfOne, only)
      // Of a name without a record only this tells the time.
      if (Number.isNaN(now)) for (const { from, json } of parcels(names)) await read(from, sql.facts, json)
      return { records, now, asKept: (lock) => asKept(lock, now, layout) }
    })
  }

  all(): Promise<LockRecord[]> {
    return this.#use(async ({ client, sql }) => {
      const rows = await select(client, sql.all)
      return rows.flatMap(([name, ...row]) => {
        const lock = lockOf(unhex(name), row)
        return lock ? { ...lock, storeTime: clockOf(row) } : []
      })
    })
  }

  /** Makes changes, which must be in the order of their names: so two batches can't wait for each other. */
  write(changes: readonly Change[]): Promise<Written> {
    return this.#use(async ({ client, layout, sql }) => {
      for (const { next } of changes) {
        checkText(next.lockedBy, 'locked_by', layout.lockedBy)
        checkText(next.metadata ?? '', 'metadata', layout.metadata)
      }
      const open: Change[] = []
      const doubtful = new Set<Change>()
      let obstacle: unknown
      const run = async (statement: string, part: readonly Change[]): Promise<void> => {
        for (const { from, count, json } of parcels(part.map(entryOf))) {
          const done = await change(client, statement, [bytes(json)]).catch((error: unknown) => {
            if (!IN_THE_WAY.has(codeOf(error))) throw error
            obstacle = error
            return 0
          })
          if (done === count) continue
          const left = part.slice(from, from + count)
          open.push(...left)
          if (done > 0) for (const each of left) doubtful.add(each)
        }
      }
      await run(
        sql.insert,
        changes.filter(({ was }) => !was),
      )
      await run(
        sql.swap,
        changes.filter(({ was }) => was),
      )
      return { open, doubtful, obstacle }
    })
  }

  prune(olderThanMs: number): Promise<number> {
    const age = olderThanMs * 1000
    return this.#use(async ({ client, sql }) => {
      // Found without locks first: a DELETE that had to look for its rows would lock all of them.
      const names = (await select(client, sql.idle, [age, age])).map(([name]) => unhex(name)).sort()
      let dropped = 0
      for (const { json } of parcels(names)) dropped += await change(client, sql.remove, [bytes(json), age, age])
      return dropped
    })
  }

  async setUp(): Promise<void> {
    await setUp(await this.#source.connect(), this.#table)
    this.#known = undefined
  }

  async #use<Result>(work: (table: Table) => Promise<Result>): Promise<Result> {
    const client = await this.#source.connect()
    try {
      this.#known ??= this.#learn(client)
      return await work({ client, ...(await this.#known) })
    } catch (error) {
      // Whatever failed, the table may be another one when it is used the next time.
      this.#known = undefined
      throw NOT_SET_UP.has(codeOf(error)) ? this.#notSetUp(error) : error
    }
  }

  /** One more round trip, at the first use. */
  async #learn(client: MysqlClient): Promise<Omit<Table, 'client'>> {
    const layout = await layoutOf(client, this.#table)
    if (layout) return { layout, sql: statementsFor(this.#table, layout) }
    // The server says best what is wrong: no table, no column, no database selected, no right to see it.
    await select(client, `SELECT ${COLUMN_NAMES.join(', ')} FROM ${quoteTable(this.#table, '`')} LIMIT 0`)
    throw this.#notSetUp(undefined)
  }

  #notSetUp(cause: unknown): StoreError {
    return new StoreError(
      `the table ${this.#table} is missing in the MySQL database, or lacks columns: call provider.setup() once, or run\n${mysqlSetup(this.#table)}`,
      { cause },
    )
  }
}
