// npm install fastify, then: npx tsx examples/adapters/fastify.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { Scheduler } from 'ticklock'
import { ticklock } from 'ticklock/fastify'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:fastify', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})

const app = Fastify()
app.register(ticklock, { scheduler, graceFor: '10s' }) // starts when the server listens, drains when it closes
app.get('/', () => ({ jobs: scheduler.jobs }))
await app.listen({ port: 0 })
console.log('ready')

process.once('SIGTERM', () => app.close())
