export { type OpenTelemetryOptions, openTelemetry, type Telemetry } from './telemetry.ts'
