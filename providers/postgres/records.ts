import { RecordBusyError } from '../../src/errors.ts'
import type {
  AcquireResult,
  LockRecord,
  PauseRequest,
  ResetRequest,
  Settled,
  UnreadableRecord,
} from '../../src/provider/contract.ts'
import { ForeignClock } from '../../src/provider/foreign-clock.ts'
import { compareNames, isUnreadable } from '../../src/provider/record.ts'
import { BUSY, byName } from './batch.ts'
import { unfit } from './check-lengths.ts'
import { DEFAULT_TIMEOUT } from './client.ts'
import { codeOf, prepared, type Statement } from './prepared.ts'
import { clamp, FAR, type RecordRow, toRecord } from './rows.ts'
import { pauseStatement, resumeStatement } from './statements/pause.ts'
import { pruneStatement, readAllStatement, readStatement, repairStatement } from './statements/records.ts'
import type { Table } from './table.ts'

/** How long a call about a single record waits for whoever has locked it, ms. */
const LOCK_TIMEOUT = 2_000

/** Records, whoever holds them. */
export class Records {
  /** Looks at the locks of other programs. */
  readonly #foreign = new ForeignClock('postgres')
  readonly #table: Table
  readonly #statements: Readonly<Record<'read' | 'readAll' | 'repair' | 'prune' | 'pause' | 'resume', Statement>>

  constructor(table: Table) {
    this.#table = table
    this.#statements = {
      read: prepared(readStatement(table.quoted)),
      readAll: prepared(readAllStatement(table.quoted)),
      repair: prepared(repairStatement(table.quoted)),
      prune: prepared(pruneStatement(table.quoted)),
      pause: prepared(pauseStatement(table.quoted)),
      resume: prepared(resumeStatement(table.quoted)),
    }
  }

  async read(names?: readonly string[]): Promise<readonly (LockRecord | UnreadableRecord)[]> {
    const records = names
      ? [...(await this.of(names)).values()]
      : this.#toRecords(await this.#table.query<RecordRow>(this.#statements.readAll, []))
    return records.sort(compareNames)
  }

  /** The records of these names that exist. */
  async of(
    names: readonly string[],
    timeout: number = DEFAULT_TIMEOUT,
  ): Promise<ReadonlyMap<string, LockRecord | UnreadableRecord>> {
    // No record has a name with a NUL character.
    const known = names.filter((name) => !name.includes('\0'))
    const rows = await this.#table.query<RecordRow>(this.#statements.read, [known], timeout)
    return byName(this.#toRecords(rows))
  }

  /** Looks at the record of a refusal. */
  refused(result: Settled<AcquireResult>): void {
    if (!(result instanceof Error) && !result.granted && result.record) this.#foreign.look(result.record)
  }

  #toRecords(rows: readonly RecordRow[]): (LockRecord | UnreadableRecord)[] {
    return rows.map((row) => {
      const record = toRecord(row)
      if (!isUnreadable(record)) this.#foreign.look(record)
      return record
    })
  }

  forceRelease(name: string): Promise<boolean> {
    return this.#change(this.#statements.repair, name, FAR, true)
  }

  reset({ name, maxClockSkew }: ResetRequest): Promise<boolean> {
    return this.#change(this.#statements.repair, name, clamp(maxClockSkew), false)
  }

  setPaused({ name, paused }: PauseRequest): Promise<boolean> {
    return this.#change(paused ? this.#statements.pause : this.#statements.resume, name)
  }

  async prune(olderThanMs: number): Promise<number> {
    const [row] = await this.#table.query<{ readonly dropped: unknown }>(this.#statements.prune, [
      Math.min(olderThanMs, LONGEST_AGO),
    ])
    return Number(row?.dropped)
  }

  /** Runs a statement about one record, which waits for whoever has locked it. Whether it changed something. */
  async #change(statement: Statement, name: string, ...values: unknown[]): Promise<boolean> {
    const misfit = unfit({ name, owner: '', label: '' }, await this.#table.widths())
    if (misfit) throw misfit
    const bounds = { timeout: DEFAULT_TIMEOUT, lockTimeout: LOCK_TIMEOUT }
    try {
      return (await this.#table.call(statement, [name, ...values], bounds)).length > 0
    } catch (error) {
      throw codeOf(error) === BUSY ? new RecordBusyError(name, { cause: error }) : error
    }
  }
}

/** The longest that `prune` looks back, ms: PostgreSQL's timestamps don't go back for ever. */
const LONGEST_AGO = 1e14
