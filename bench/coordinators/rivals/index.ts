import type { Rival } from '../rival.ts'
import { agendaOnMongodb, agendaOnPostgres, agendaOnRedis } from './agenda.ts'
import { bullmq } from './bullmq.ts'
import { cronerRedlock } from './croner-redlock.ts'
import { graphileWorker } from './graphile-worker.ts'
import { nodeCronDeleting, nodeCronKeeping } from './node-cron.ts'
import { ticklockOnPostgres, ticklockOnRedis } from './ticklock.ts'

/** All coordinators, ours first. */
export const rivals: readonly Rival[] = [
  ticklockOnPostgres,
  ticklockOnRedis,
  nodeCronDeleting,
  nodeCronKeeping,
  bullmq,
  cronerRedlock,
  agendaOnPostgres,
  agendaOnRedis,
  agendaOnMongodb,
  graphileWorker,
]
