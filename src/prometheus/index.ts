export { type PrometheusMetrics, type PrometheusOptions, prometheus } from './prometheus.ts'
export { type ServerMetricsOptions, serverMetrics } from './server.ts'
