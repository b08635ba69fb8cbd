/* What the tests of the sqlite provider share. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type SqliteDatabase } from '../../providers/sqlite/driver.ts'
import { type SqliteInput, sqlite } from '../../providers/sqlite/index.ts'
import type { AcquireRequest, LockProvider } from '../../src/provider/contract.ts'

/** An acquisition by an owner of its own. */
export const ask = (name: string, more: Partial<AcquireRequest> = {}): AcquireRequest => ({
  name,
  owner: randomUUID(),
  label: `test:${process.pid}`,
  lockAtMostFor: 60_000,
  maxClockSkew: 60_000,
  ...more,
})

/** Files, providers and connections of one test, which go with it. */
export class Belongings {
  readonly #cleanUps: (() => unknown)[] = []

  /** Calls back at the end; what came last goes first. */
  atEnd(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp)
  }

  /** A path in a folder of its own, where no file is yet. */
  newFile(): string {
    const folder = mkdtempSync(join(tmpdir(), 'ticklock-sqlite-'))
    this.atEnd(() => rmSync(folder, { recursive: true, force: true }))
    return join(folder, 'locks.sqlite')
  }

  provider(input: SqliteInput): LockProvider {
    const provider = sqlite(input)
    this.atEnd(() => provider.close())
    return provider
  }

  /** A connection by the driver, past the provider. */
  async database(path: string): Promise<SqliteDatabase> {
    const database = await openDatabase(path)
    this.atEnd(() => database.close())
    return database
  }

  async clear(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp()
  }
}
