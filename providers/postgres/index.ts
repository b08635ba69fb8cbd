export type { PostgresClient, PostgresInput, PostgresOptions } from './options.ts'
export { type PostgresProvider, postgres } from './postgres.ts'
export { postgresSetup } from './statements/setup.ts'
