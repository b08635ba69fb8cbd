import { InvalidOptionError } from '../errors.ts'
import type { ReadTick } from './tick-of-call.ts'

/** Whether a value has all of these properties. */
export const has = (value: unknown, ...keys: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && keys.every((key) => key in value)

/** By which marks a call is known to come from a library that has an adapter. */
const ADAPTERS: Readonly<Record<string, (self: unknown, first: unknown) => boolean>> = {
  croner: (self, first) => isCroner(self) || isCroner(first),
  cron: (self) => has(self, 'cronTime', 'fireOnTick'),
  'node-cron': (self, first) => has(first, 'dateLocalIso', 'execution') || isOldNodeCron(self),
  'node-schedule': (self) => isNodeScheduleJob(self),
}

export const isCroner = (value: unknown): boolean => has(value, 'options', 'msToNext', 'schedule')

/** A task of node-cron 2 or 3, which are the `this` of their functions. */
export const isOldNodeCron = (self: unknown): boolean =>
  has(self, '_events') && (has(self, '_execution') || has(self, 'initialPattern', 'execution'))

export const isNodeScheduleJob = (self: unknown): boolean => has(self, 'pendingInvocations', 'nextInvocation')

/** A task of toad-scheduler, which tells its functions nothing of their schedule. */
const isToadTask = (self: unknown): boolean => has(self, 'handler', 'errorHandler')

/** For the wrapper that knows no library: a call of a scheduler has a tick, which would be lost here. */
export const refuseSchedulers: ReadTick = (self, [first]) => {
  for (const [library, calls] of Object.entries(ADAPTERS)) {
    if (!calls(self, first)) continue
    throw new InvalidOptionError(
      `locked: ${library} calls this function, so the call has a tick: import { locked } from "ticklock/${library}", or give it cron (and timezone), every or tick`,
    )
  }
  return isToadTask(self) ? 'no-schedule' : 'by-hand'
}
