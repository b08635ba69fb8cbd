import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext } from '../../../src/scheduler/job.ts'

export const report = ({ name, logger }: JobContext): void => logger.info({}, `report of ${name}`)

/** Does not look at its signal. */
export const slow = (): Promise<void> => sleep(100)
