import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../../test/servers/index.ts'
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
      begun?.signal('SIGKILL')
    },
  },
  {
    name: 'store-restarted',
    restarts: true,
    async disturb(_, server) {
      for (const process of server.processes) await process.kill()
      for (const process of server.processes) await process.start()
    },
  },
]
