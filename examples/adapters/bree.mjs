// npm install bree, then: node examples/adapters/bree.mjs
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import Bree from 'bree'
import { currentLock, Locker } from 'ticklock'
import { locked } from 'ticklock/bree'
import { sqlite } from 'ticklock/sqlite'

if (isMainThread) {
  const path = fileURLToPath(import.meta.url) // the worker's code is below, in the same file
  const job = { name: 'example', path, cron: '*/2 * * * * *', hasSeconds: true }
  const bree = new Bree({ root: false, logger: false, jobs: [job] })
  await bree.start()
  console.log('ready')
  process.once('SIGTERM', () => bree.stop())
} else {
  const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
  const locker = new Locker({ provider })
  await locked({ locker, name: 'example:bree', lockAtMostFor: '10s' }, () => {
    console.log(`tick ${currentLock()?.tick?.toISOString()}`)
  })()
  await provider.close()
}
