// One node of a fleet: node.ts <url of PostgreSQL> <jobs> <ms between ticks>. Tells every run when it is asked to stop.
import pg from 'pg'
import { postgres } from '../../providers/postgres/index.ts'
import { Scheduler } from '../../src/index.ts'

const [url = '', jobs = '0', every = '0'] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 4 })
const scheduler = new Scheduler({ provider: postgres(pool), logger: false, defaults: { lockAtMostFor: '10m' } })
/** For each run its tick, its job and by how many ms it began late. */
const runs: [tick: number, job: number, late: number][] = []
for (let job = 0; job < Number(jobs); job++) {
  scheduler.job({ name: `job-${job}`, every: Number(every) }, ({ scheduledAt }) => {
    runs.push([+scheduledAt, job, Date.now() - +scheduledAt])
  })
}
process.on('message', async () => {
  await scheduler.stop()
  await pool.end()
  process.send?.(runs, () => process.exit(0))
})
await scheduler.start()
process.send?.('ready')
