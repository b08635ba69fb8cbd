import { EACH_SECOND, FAR_WITH_SECONDS, load, type Rival } from '../rival.ts'
import { redisOfBench } from './redis-client.ts'

interface NodeCron {
  schedule(
    pattern: string,
    work: (context: { readonly date: Date }) => Promise<void>,
    options: {
      readonly name: string
      readonly distributed: true
      readonly timezone: string
      readonly runCoordinator: {
        shouldRun(key: string, ttl: number): Promise<boolean>
        onComplete?(key: string): Promise<void>
      }
    },
  ): unknown
  shutdown(): Promise<void>
}

/** node-cron with a coordinator over Redis: SET NX PX by the key that it is given, deleted when the run has ended, or kept. */
const nodeCron = (name: string, deletes: boolean): Rival => ({
  name,
  store: 'redis',
  every: 1,
  async start({ url, label, jobs, run, idle }) {
    const cron = await load<NodeCron>('node-cron')
    const client = await redisOfBench(url)
    const runCoordinator = {
      shouldRun: async (key: string, ttl: number) => (await client.set(key, label, 'PX', ttl, 'NX')) === 'OK',
      ...(deletes && { onComplete: async (key: string) => void (await client.del(key)) }),
    }
    for (const job of jobs) {
      const options = { name: job, distributed: true, timezone: 'UTC', runCoordinator } as const
      cron.schedule(idle ? FAR_WITH_SECONDS : EACH_SECOND, ({ date }) => run(job, date.getTime()), options)
    }
    return async () => {
      await cron.shutdown()
      client.disconnect()
    }
  },
})

export const nodeCronDeleting = nodeCron('node-cron', true)
export const nodeCronKeeping = nodeCron('node-cron-kept', false)
