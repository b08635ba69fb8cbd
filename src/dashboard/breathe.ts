import { setTimeout as sleep } from 'node:timers/promises'

/** The longest pause, in ms. */
const LONGEST = 100

/** Lets the ticks of this process go on: pauses for as long as the work took that began at `startedAt`. */
export const breathe = (startedAt: number): Promise<void> => sleep(Math.min(LONGEST, performance.now() - startedAt))
