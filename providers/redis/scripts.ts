/* One script for each verb. */
import { createHash } from 'node:crypto'
import { ACQUIRE } from './lua/acquire.ts'
import { BATCH, BATCH_WITH_SHEDLOCK } from './lua/batch.ts'
import { EXTEND, RELEASE } from './lua/hold.ts'
import { FORCE_RELEASE, PAUSE, PRUNE, READ, REPAIR, RESET } from './lua/maintain.ts'

export interface Script {
  readonly text: string
  readonly sha: string
}

export function script(...parts: readonly string[]): Script {
  const text = parts.join('')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

const scriptsOver = (batch: string) => ({
  acquire: script(batch, ACQUIRE),
  extend: script(batch, EXTEND),
  release: script(batch, RELEASE),
  read: script(batch, READ),
  forceRelease: script(batch, FORCE_RELEASE),
  reset: script(batch, RESET),
  prune: script(batch, PRUNE),
  pause: script(batch, PAUSE),
})

export type Scripts = ReturnType<typeof scriptsOver>

export const scripts: Scripts = scriptsOver(BATCH)
export const sharedScripts: Scripts = scriptsOver(BATCH_WITH_SHEDLOCK)
export const repairScript: Script = script(REPAIR)
