/* One script for each verb. */
import { createHash } from 'node:crypto'
import { ACQUIRE } from './lua/acquire.ts'
import { EXTEND } from './lua/extend.ts'
import { FORCE_RELEASE } from './lua/force-release.ts'
import { PAUSE } from './lua/pause.ts'
import { PRUNE } from './lua/prune.ts'
import { READ } from './lua/read.ts'
import { RECORD } from './lua/record.ts'
import { RELEASE } from './lua/release.ts'

export interface Script {
  readonly text: string
  readonly sha: string
}

/** A script of what every script begins with, and its own body. */
export function script(body: string): Script {
  const text = RECORD + body
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const scripts = {
  acquire: script(ACQUIRE),
  extend: script(EXTEND),
  release: script(RELEASE),
  read: script(READ),
  forceRelease: script(FORCE_RELEASE),
  prune: script(PRUNE),
  pause: script(PAUSE),
}

/** A time as the scripts write it: whole microseconds. */
export const milliseconds = (microseconds: unknown): number => Number(microseconds) / 1000
