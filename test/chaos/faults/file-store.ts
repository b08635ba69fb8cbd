import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../../providers/sqlite/driver.ts'
import { recordFaults } from './records.ts'
import type { StoreUnderChaos } from './store.ts'

const DIRTY_WRITER = fileURLToPath(new URL('./dirty-writer.ts', import.meta.url))

/** An SQLite file, which another process may lock, or die in the middle of writing to. */
export async function fileStore(): Promise<StoreUnderChaos> {
  const folder = mkdtempSync(join(tmpdir(), 'ticklock-chaos-file-'))
  const url = join(folder, 'locks.sqlite')
  const database = await openDatabase(url)
  const version = Object.values(database.prepare('SELECT sqlite_version()').get() as object).join()
  database.close()
  return {
    kind: 'sqlite',
    url,
    version: `SQLite ${version}`,
    port: undefined,
    faults: {
      'file-locked': () => locked(url),
      'writer-killed': () => writerKilled(url),
      ...recordFaults('sqlite', url),
    },
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function locked(path: string): Promise<() => void> {
  const database = await openDatabase(path)
  database.exec('PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE')
  return () => {
    database.exec('ROLLBACK')
    database.close()
  }
}

/** Its half-written pages are for the next to roll back. */
async function writerKilled(path: string): Promise<() => void> {
  await new Promise<void>((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', DIRTY_WRITER, path], () => resolve())
  })
  return () => {}
}
