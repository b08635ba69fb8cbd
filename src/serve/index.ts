export type { TlsFiles } from '../web/connections.ts'
export type { LockApiOptions, ServerMetrics } from './options.ts'
export { type LockApi, type LockServer, lockApi, type ServeOptions, serve } from './serve.ts'
