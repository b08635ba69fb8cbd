import { StoreError } from '../../src/errors.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { allSettledOrThrow } from '../../src/provider/parallel.ts'
import { quoteTable } from '../../src/provider/sql.ts'
import { Deadline } from './bounds.ts'
import { chunks } from './chunks.ts'
import { bytes, change, forInsert, type Session, type Source, select } from './client.ts'
import { COLUMN_NAMES, checkText, type Layout, layoutOf } from './layout.ts'
import { mysqlSetup, setUp } from './setup.ts'
import { type Statements, statementsFor } from './statements.ts'
import { asKept, type Change, entryOf, type Found, foundIn, unhex } from './stored-record.ts'

/** What stands in the table for some names. */
export interface Records {
  /** In the order of the names. An error for a name that the table can't hold. */
  readonly found: readonly (Found | Error)[]
  asKept(lock: StoredLock, now: number): StoredLock
}

/** What came of some changes. */
export interface Written {
  /** Changes that were not made, or of which that isn't known: read again. */
  readonly open: readonly Change[]
  /** Those of them that may have been made: the server counts the changes of a statement, and doesn't say which. */
  readonly maybeWritten: ReadonlySet<Change>
}

interface Table {
  readonly session: Session
  readonly layout: Layout
  readonly sql: Statements
}

/** No such table, no such column. */
const NOT_SET_UP = new Set<unknown>([1146, 1054])
/**
 * Another transaction stood in the way: a deadlock; a row, or the table, locked for too long; a row locked, with NOWAIT; a row changed since the statement
 * began (MariaDB's innodb_snapshot_isolation).
 */
const IN_THE_WAY = new Set<unknown>([1213, 1205, 3572, 1020])

/** Into how many parts new names are divided when one of them met a lock, and how many statements a call spends on that. */
const PARTS = 4
const MAX_INSERTS = 64

const codeOf = (error: unknown): unknown => (error as { readonly errno?: unknown } | undefined)?.errno

/** The table of locks: what stands in it, and changes to it. It decides nothing. */
export class LocksTable {
  readonly #source: Source
  readonly #table: string
  #known: Promise<Omit<Table, 'session'>> | undefined

  constructor(source: Source, table: string) {
    this.#source = source
    this.#table = table
  }

  /** The statements for the table as it is. */
  statements(): Promise<Statements> {
    return this.#use(async ({ sql }) => sql)
  }

  find(names: readonly string[], deadline: Deadline): Promise<Records> {
    return this.#use(async ({ session, layout, sql }) => {
      const found: (Found | Error | undefined)[] = names.map((name) => unfit(name, layout))
      const read = async (statement: string, part: readonly number[], value: string): Promise<void> => {
        for (const [ordinal, ...row] of await select(session, statement, [bytes(value)], deadline.left())) {
          const index = part[Number(ordinal) - 1] as number
          found[index] = foundIn(names[index] as string, row)
        }
      }
      const missing = (): number[] => names.flatMap((_, index) => (found[index] ? [] : [index]))
      const [only] = names
      if (names.length === 1 && only !== undefined && !found[0]) await read(sql.findOne, [0], only)
      // Of a name without a record only this tells the time.
      const left = missing()
      for (const { from, count, json } of chunks(left.map((index) => names[index])))
        await read(sql.find, left.slice(from, from + count), json)
      if (missing().length > 0) throw new StoreError('the MySQL client returned fewer rows than there are')
      return { found: found as (Found | Error)[], asKept: (lock, now) => asKept(lock, now, layout) }
    })
  }

  findAll(): Promise<readonly (readonly [name: string, found: Found])[]> {
    return this.#use(async ({ session, sql }) => {
      const rows = await select(session, sql.findAll)
      return rows.map(([hex, ...row]) => {
        const name = unhex(hex)
        return [name, foundIn(name, row)] as const
      })
    })
  }

  /** Makes changes, each only if its record still is what was seen of it, and if nobody else has it locked. */
  write(changes: readonly Change[], deadline: Deadline): Promise<Written> {
    return this.#use(async (table) => {
      const open: Change[] = []
      const maybeWritten = new Set<Change>()
      const note = (part: readonly Change[], made: number): void => {
        if (made === part.length) return
        open.push(...part)
        if (made > 0) for (const each of part) maybeWritten.add(each)
      }
      const replaced = changes.filter(({ seen }) => seen)
      for (const { from, count, json } of chunks(replaced.map(entryOf))) {
        const { session, sql } = table
        const options = { timeout: deadline.left(), hints: 'NO_MERGE(free)' }
        const made = await change(session, sql.replace, [bytes(json)], options).catch(zeroIfInTheWay)
        note(replaced.slice(from, from + count), made ?? 0)
      }
      const added = changes.filter(({ seen }) => !seen)
      if (added.length > 0) await insertApart(table, added, deadline, note)
      return { open, maybeWritten }
    })
  }

  prune(olderThanMs: number): Promise<number> {
    const age = [olderThanMs * 1000, olderThanMs]
    return this.#use(async ({ session, sql }) => {
      // Found without locks first: a DELETE that had to look for its rows would lock all of them.
      const names = (await select(session, sql.idle, age)).map(([name]) => unhex(name)).sort()
      let dropped = 0
      for (const { json } of chunks(names)) dropped += await change(session, sql.remove, [bytes(json), ...age])
      return dropped
    })
  }

  async setUp(): Promise<void> {
    await setUp(await this.#source.connect(), this.#table)
    this.#known = undefined
  }

  async #use<Result>(work: (table: Table) => Promise<Result>): Promise<Result> {
    const session = await this.#source.connect()
    try {
      this.#known ??= this.#learn(session)
      return await work({ session, ...(await this.#known) })
    } catch (error) {
      // Whatever failed, the table may be another one when it is used the next time.
      this.#known = undefined
      throw NOT_SET_UP.has(codeOf(error)) ? this.#notSetUp(error) : error
    }
  }

  /** One more round trip, at the first use. */
  async #learn(session: Session): Promise<Omit<Table, 'session'>> {
    const layout = await layoutOf(session, this.#table)
    if (layout) return { layout, sql: statementsFor(this.#table, layout) }
    // The server says best what is wrong: no table, no column, no database selected, no right to see it.
    await select(session, `SELECT ${COLUMN_NAMES.join(', ')} FROM ${quoteTable(this.#table, '`')} LIMIT 0`)
    throw this.#notSetUp(undefined)
  }

  #notSetUp(cause: unknown): StoreError {
    return new StoreError(
      `the table ${this.#table} is missing in the MySQL database, or lacks columns: call provider.setup() once, or run\n${mysqlSetup(this.#table)}`,
      { cause },
    )
  }
}

function unfit(name: string, layout: Layout): Error | undefined {
  try {
    checkText(name, 'name', layout.name)
    return undefined
  } catch (error) {
    return error as Error
  }
}

function zeroIfInTheWay(error: unknown): undefined {
  if (!IN_THE_WAY.has(codeOf(error))) throw error
}

/**
 * Makes new records. An INSERT can't skip a name that another transaction is inserting, or whose gap in the index it has locked: it fails whole. Then the names
 * are tried in ever smaller parts, chosen at random, so that only the bad ones are left in the end. The parts go out side by side, since MySQL takes a second for
 * each that waits for a gap.
 */
async function insertApart(
  table: Table,
  changes: readonly Change[],
  deadline: Deadline,
  note: (part: readonly Change[], made: number) => void,
): Promise<void> {
  const until = new Deadline(deadline.left() / 2)
  let statements = 0
  const insert = async (part: readonly Change[]): Promise<void> => {
    if (statements++ > 0 && (statements > MAX_INSERTS || until.left() <= 0)) return note(part, 0)
    const made = await insertOnce(table, part, deadline)
    if (made !== undefined || part.length === 1) return note(part, made ?? 0)
    await allSettledOrThrow(inRandomParts(part).map(insert))
  }
  for (const { from, count } of chunks(changes.map(entryOf))) await insert(changes.slice(from, from + count))
}

/** How many records were made; undefined when another transaction was in the way. */
async function insertOnce(
  { session, layout, sql }: Table,
  part: readonly Change[],
  deadline: Deadline,
): Promise<number | undefined> {
  const entries = bytes(JSON.stringify(part.map(entryOf)))
  try {
    if (layout.isMariaDb) return await change(session, sql.insert, [entries], { timeout: deadline.left() })
    // In MySQL the INSERT would wait a second for a name that another transaction is inserting. This fails at once.
    await select(session, sql.probe, [bytes(JSON.stringify(part.map(({ next }) => next.name)))], deadline.left())
    return await change(session, sql.insert, [entries], { timeout: deadline.left(), around: forInsert })
  } catch (error) {
    return zeroIfInTheWay(error)
  }
}

/** Each in the order of the names, as all inserts are: two nodes with the same new names don't deadlock. */
function inRandomParts(changes: readonly Change[]): readonly (readonly Change[])[] {
  const count = Math.min(PARTS, changes.length)
  const turns = changes.map((_, index) => ({ part: index % count, order: Math.random() }))
  turns.sort((a, b) => a.order - b.order)
  return Array.from({ length: count }, (_, part) => changes.filter((_, index) => turns[index]?.part === part))
}
