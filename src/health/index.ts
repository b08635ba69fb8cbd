export {
  type Health,
  type HealthOptions,
  type HealthReport,
  type OverdueEvent,
  watchHealth,
} from './health.ts'
