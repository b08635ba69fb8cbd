import { Scheduler } from 'ticklock'
import { ticklock } from 'ticklock/fastify'
import { postgres } from 'ticklock/postgres'

const { default: fastify } = await import(process.env.PACKAGE)
const provider = postgres({ url: process.env.POSTGRES_URL, table: 'compat_fastify' })
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'fastify', every: '250ms', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
const app = fastify()
app.register(ticklock, { scheduler })
await app.listen({ port: 0, host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', () => app.close())
