import { setTimeout as sleep } from 'node:timers/promises'
import { EACH_SECOND, FAR_WITH_SECONDS, load, type Rival } from '../rival.ts'

interface Job {
  readonly name: string
  readonly id?: string
}

interface BullMq {
  Queue: new (
    name: string,
    options: object,
  ) => {
    upsertJobScheduler(
      id: string,
      repeat: { pattern: string; tz: string },
      template: { name: string; opts: object },
    ): Promise<unknown>
    on(event: 'error', listener: () => void): unknown
    close(): Promise<void>
  }
  Worker: new (
    name: string,
    work: (job: Job) => Promise<void>,
    options: object,
  ) => { on(event: 'error', listener: () => void): unknown; close(force: boolean): Promise<void> }
}

const QUEUE = 'bench'

/** Its job schedulers, as its documentation has them: each process upserts them and works on the queue. */
export const bullmq: Rival = {
  name: 'bullmq',
  store: 'redis',
  every: 1,
  async start({ url, jobs, run, idle }) {
    const { Queue, Worker } = await load<BullMq>('bullmq')
    const { hostname: host, port } = new URL(url)
    const connection = { host, port: Number(port), maxRetriesPerRequest: null }
    const queue = new Queue(QUEUE, { connection })
    queue.on('error', () => {})
    // The id of a scheduled job ends with the time that it is for.
    const tickOf = ({ id }: Job): number | undefined => Number(/:(\d+)$/.exec(id ?? '')?.[1]) || undefined
    const worker = new Worker(QUEUE, (job) => run(job.name, tickOf(job)), { connection, concurrency: jobs.length })
    worker.on('error', () => {})
    const opts = { removeOnComplete: true, removeOnFail: true }
    // As a pattern, since with `every` its ticks begin at the moment of the first upsert.
    const repeat = { pattern: idle ? FAR_WITH_SECONDS : EACH_SECOND, tz: 'UTC' }
    for (const name of jobs) await persistent(() => queue.upsertJobScheduler(name, repeat, { name, opts }))
    return async () => {
      await worker.close(true)
      await queue.close()
    }
  },
}

/** An upsert is refused ("job ID already exists") where a process whose clock is ahead has got there first; a user would try again. */
async function persistent(upsert: () => Promise<unknown>, tries = 40): Promise<void> {
  try {
    await upsert()
  } catch (error) {
    if (tries === 0) throw error
    await sleep(250)
    await persistent(upsert, tries - 1)
  }
}
