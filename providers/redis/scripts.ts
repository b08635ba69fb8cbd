/* One script for each verb. */
import { createHash } from 'node:crypto'
import { ACQUIRE } from './lua/acquire.ts'
import { BASICS } from './lua/basics.ts'
import { EXTEND } from './lua/extend.ts'
import { FORCE_RELEASE } from './lua/force-release.ts'
import { PAUSE } from './lua/pause.ts'
import { PRUNE } from './lua/prune.ts'
import { READ } from './lua/read.ts'
import { RECORD } from './lua/record.ts'
import { RELEASE } from './lua/release.ts'
import { STATE } from './lua/state.ts'

export interface Script {
  readonly text: string
  readonly sha: string
}

/** A script of what every script begins with, and its own parts. */
export function script(...parts: readonly string[]): Script {
  const text = [BASICS, ...parts].join('')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

const ofLocks = (body: string): Script => script(STATE, RECORD, body)

export const scripts = {
  acquire: ofLocks(ACQUIRE),
  extend: ofLocks(EXTEND),
  release: ofLocks(RELEASE),
  read: ofLocks(READ),
  forceRelease: ofLocks(FORCE_RELEASE),
  prune: ofLocks(PRUNE),
  pause: ofLocks(PAUSE),
}

/** A time as the scripts write it: whole microseconds. */
export const milliseconds = (microseconds: unknown): number => Number(microseconds) / 1000
