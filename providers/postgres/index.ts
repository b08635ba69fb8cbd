export type { PostgresClient, PostgresInput, PostgresOptions } from './options.ts'
export { type PostgresProvider, postgres } from './postgres.ts'
export { postgresHistorySetup } from './statements/history.ts'
export { postgresSetup } from './statements/setup.ts'
