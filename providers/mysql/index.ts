export type { MysqlClient, MysqlNonPromiseClient } from './client.ts'
export { mysql } from './mysql.ts'
export type { MysqlInput, MysqlOptions } from './options.ts'
export { mysqlSetup } from './setup.ts'
