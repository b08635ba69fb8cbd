import { setTimeout as sleep } from 'node:timers/promises'
import { type LockProvider, Scheduler } from 'ticklock'
import type { JudgedJob } from '../judge/judge.ts'
import { watchEvents } from '../node/events.ts'
import { witnessed } from '../node/witnessed-provider.ts'
import { machineTime, type Witness } from '../witness-file.ts'
import type { WitnessLine } from '../witness-line.ts'

/** A job of the load: its ticks come at intervals of its own, so that at any moment some are being granted. */
interface LoadJob extends JudgedJob {
  /** How long a run takes, in ms. */
  readonly takes: number
}

const common = { lockAtLeastFor: 0, graceFor: 30_000, onCrash: 'skip', catchesUp: false } as const

/** Jobs that are over in a moment: many grants. */
export const briefJobs: readonly LoadJob[] = Array.from({ length: 40 }, (_, index) => ({
  ...common,
  name: `brief-${index}`,
  interval: 400 + 7 * index,
  lockAtMostFor: 5_000,
  takes: 20,
}))

/** Jobs that hold their lease for long: a grant that is forgotten meanwhile is granted to another. */
export const longJobs: readonly LoadJob[] = Array.from({ length: 20 }, (_, index) => ({
  ...common,
  name: `long-${index}`,
  interval: 300 + 11 * index,
  lockAtMostFor: 10_000,
  takes: 1_500,
}))

export const loadJobs = [...briefJobs, ...longJobs]

/** What the nodes witness, kept in memory: they outlive what happens here, it is the servers that fail. */
export class LoadWitness {
  readonly lines: WitnessLine[] = []

  of(life: string): Witness {
    return { write: (told, at = machineTime()) => void this.lines.push({ at, life, ...told }) }
  }
}

/** A scheduler over a provider of its own, all of whose asks are witnessed. */
export async function startNode(provider: LockProvider, witness: Witness, label: string): Promise<() => Promise<void>> {
  const seen = witnessed(provider, witness)
  const scheduler = new Scheduler({ provider: seen, label, logger: false })
  const kindOf = watchEvents(scheduler, witness)
  for (const { name, interval, lockAtMostFor, takes } of loadJobs) {
    scheduler.job(
      { name, every: interval, lockAtMostFor },
      async ({ name: job, scheduledAt, fencingToken: token = 0, lock }) => {
        const tick = scheduledAt.getTime()
        const until = machineTime() + (lock?.remaining ?? 0)
        witness.write({ what: 'begin', job, tick, token, kind: kindOf(job), until })
        await sleep(takes)
        witness.write({ what: 'end', job, tick, token })
      },
    )
  }
  await scheduler.start()
  return async () => {
    await scheduler.stop({ graceFor: '5s' })
    await provider.close()
  }
}
