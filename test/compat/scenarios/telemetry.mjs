// Metrics and traces beside the jobs of two processes; a metric that stays empty ends the process with an error.
import { Scheduler } from 'ticklock'
import { postgres } from 'ticklock/postgres'

const { LIBRARY, POSTGRES_URL } = process.env
const provider = postgres({ url: POSTGRES_URL, table: 'compat_telemetry' })
await provider.setup()
const scheduler = new Scheduler({ provider })
let traced = (work) => work
let check = async () => {}
if (LIBRARY === 'prom-client') {
  const { prometheus } = await import('ticklock/prometheus')
  const metrics = prometheus()
  metrics.watch(scheduler)
  check = async () => {
    if (!/^ticklock_\w+\{.*job="telemetry.*\} [1-9]/m.test(await metrics.register.metrics())) process.exit(3)
  }
} else {
  const { openTelemetry } = await import('ticklock/opentelemetry')
  traced = openTelemetry(scheduler).traced
}
scheduler.job(
  { name: 'telemetry', every: '250ms', lockAtMostFor: '10s' },
  traced(({ scheduledAt }) => {
    console.log(`tick ${scheduledAt.toISOString()}`)
  }),
)
await scheduler.start()
console.log('ready')
process.once('SIGTERM', async () => {
  await scheduler.stop()
  await check()
})
