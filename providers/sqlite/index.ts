export type { SqliteDatabase, SqliteStatement, SqliteValue } from './driver.ts'
export type { SqliteInput, SqliteOptions } from './options.ts'
export { sqlite } from './sqlite.ts'
export { sqliteSetup } from './table.ts'
