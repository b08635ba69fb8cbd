// npx tsx examples/adapters/http.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Scheduler } from 'ticklock'
import { sqlite } from 'ticklock/sqlite'

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:http', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})

// An Express app goes in here as it is: createServer(app).
const server = createServer((_, response) => response.end('hello'))
server.listen(0, async () => {
  await scheduler.start()
  console.log('ready')
})

process.once('SIGTERM', async () => {
  const closed = new Promise((resolve) => server.close(resolve)) // no new connections; waits for the requests
  server.closeIdleConnections()
  await Promise.all([closed, scheduler.stop({ graceFor: '10s' })]) // no new ticks; waits for the runs
})
