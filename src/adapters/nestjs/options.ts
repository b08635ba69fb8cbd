import type { Duration } from '../../duration.ts'
import { checkKeys } from '../../options.ts'
import type { SchedulerOptions } from '../../scheduler/scheduler-options.ts'

/** What `TicklockModule` is set up with: the options of a `Scheduler`, and how the app stops. */
export interface TicklockModuleOptions extends Omit<SchedulerOptions, 'keepProviderOpen'> {
  /** How long running jobs and locked methods may go on while the app shuts down. @default '30s' */
  readonly graceFor?: Duration | undefined
  /** Call the provider's `setup()` when the app starts: it makes the table where one is needed. @default false */
  readonly setup?: boolean | undefined
}

const OWN = ['graceFor', 'setup']

/** Parts the module's own options from the scheduler's, which checks those. */
export function readModuleOptions(options: TicklockModuleOptions): {
  readonly ofScheduler: SchedulerOptions
  readonly graceFor: Duration
  readonly setup: boolean
} {
  const { graceFor = '30s', setup = false, ...ofScheduler } = options ?? {}
  checkKeys({ graceFor, setup }, OWN, 'TicklockModule')
  return { ofScheduler: { ...ofScheduler, keepProviderOpen: true }, graceFor, setup }
}
