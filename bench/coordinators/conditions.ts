import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess, TestServer } from '../../test/servers/index.ts'
import { type NodeProcess, nextBegun } from './node-process.ts'

/** What a cluster has to live with. */
export interface Condition {
  readonly name: string
  /** By how many seconds the first process' clock is wrong. */
  readonly clock?: number
  /** Its store is killed and comes back with its data, and counts anew. */
  readonly restarts?: boolean
  /** What is done in the middle of the cell. */
  disturb?(nodes: readonly NodeProcess[], server: TestServer): Promise<void>
}

export const conditions: readonly Condition[] = [
  { name: 'equal' },
  { name: 'behind-100ms', clock: -0.1 },
  { name: 'ahead-2s', clock: 2 },
  { name: 'behind-40s', clock: -40 },
  {
    name: 'paused-5s',
    async disturb([first]) {
      first?.signal('SIGSTOP')
      await sleep(5_000)
      first?.signal('SIGCONT')
    },
  },
  {
    name: 'killed',
    async disturb(nodes) {
      const begun = await nextBegun(nodes)
      // In the middle of runs of 50 ms: it has begun all that it has of this tick, and ended none.
      await sleep(25)
      begun?.signal('SIGKILL')
    },
  },
  {
    name: 'store-restarted',
    restarts: true,
    async disturb(_, server) {
      for (const process of server.processes) await process.kill()
      for (const process of server.processes) await startAgain(process)
    },
  },
]

/** A server that was killed may find that its own children still hold its memory: PostgreSQL then ends at once. */
async function startAgain(process: ServerProcess, tries = 20): Promise<void> {
  try {
    await process.start()
  } catch (error) {
    if (tries === 0) throw error
    await sleep(250)
    await startAgain(process, tries - 1)
  }
}
