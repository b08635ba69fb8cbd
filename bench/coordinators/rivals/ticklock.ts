import { postgres } from '../../../providers/postgres/index.ts'
import { redis } from '../../../providers/redis/index.ts'
import { Scheduler } from '../../../src/index.ts'
import { FAR_WITH_SECONDS, LEASE, type NodeSetup, type Rival } from '../rival.ts'

async function start(
  { label, jobs, run, idle }: NodeSetup,
  provider: ConstructorParameters<typeof Scheduler>[0]['provider'],
) {
  const scheduler = new Scheduler({ provider, label, logger: false, defaults: { lockAtMostFor: LEASE } })
  const schedule = idle ? { cron: FAR_WITH_SECONDS } : { every: '1s' as const }
  for (const name of jobs) scheduler.job({ name, ...schedule }, ({ scheduledAt }) => run(name, +scheduledAt))
  await scheduler.start()
  return () => scheduler.stop({ graceFor: '1s' })
}

export const ticklockOnPostgres: Rival = {
  name: 'ticklock-postgres',
  store: 'postgres',
  every: 1,
  async prepare(url) {
    const provider = postgres(url)
    await provider.setup()
    await provider.close()
  },
  start: (setup) => start(setup, postgres(setup.url)),
}

export const ticklockOnRedis: Rival = {
  name: 'ticklock-redis',
  store: 'redis',
  every: 1,
  start: (setup) => start(setup, redis(setup.url)),
}
