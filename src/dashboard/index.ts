export { type Dashboard, dashboard } from './dashboard.ts'
export type { DashboardOptions, MetricsSource } from './options.ts'
export { type DashboardServer, type ServeOptions, serveDashboard } from './serve.ts'
