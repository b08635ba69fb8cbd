// npx tsx examples/adapters/decorators.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobContext, Locker, Scheduler } from 'ticklock'
import { Job, Locked, registerJobs, useLocker } from 'ticklock/decorators'
import { sqlite } from 'ticklock/sqlite'

class Reports {
  @Job({ name: 'example:decorated', every: '1s', lockAtMostFor: '10s' })
  async report({ scheduledAt }: JobContext): Promise<void> {
    console.log(`tick ${scheduledAt.toISOString()}`)
    await this.sync('acme', scheduledAt)
  }

  @Locked({ name: (tenant: string) => `example:sync:${tenant}`, lockAtMostFor: '10s', onSkip: 'throw' })
  async sync(tenant: string, at: Date): Promise<void> {
    console.log(`tick sync ${tenant} ${at.toISOString()}`)
  }
}

const provider = sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite'))
const scheduler = new Scheduler({ provider, logger: { ...console, debug() {}, info() {} } })
const reports = new Reports()
useLocker(new Locker({ provider }), reports)
registerJobs(scheduler, reports)
await scheduler.start()
console.log('ready')

process.once('SIGTERM', () => scheduler.stop())
