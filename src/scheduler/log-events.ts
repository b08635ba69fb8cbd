import type { Logger } from '../logger.ts'
import { shellWord } from '../provider/record.ts'
import type { EventName, JobEvent, SchedulerEvents } from './events.ts'

/** Writes one line for each event that matters, by pino's conventions: errors as `err`, ordinary skips at debug. */
export function logEvents(logger: Logger): <Name extends EventName>(name: Name, event: SchedulerEvents[Name]) => void {
  const lines: { readonly [Name in EventName]?: (event: SchedulerEvents[Name]) => void } = {
    skipped: ({ reason, heldBy, heldUntil, ...event }) => {
      const fields = { ...facts(event), reason, heldBy, heldUntil }
      if (reason === 'clock-ahead')
        logger.error(fields, "tick refused: it lies ahead of the store's clock, check this machine's")
      else logger.debug(fields, 'tick skipped')
    },
    started: (event) => logger.debug({ ...facts(event), fencingToken: event.fencingToken }, 'job started'),
    succeeded: (event) =>
      logger.info(
        { ...facts(event), fencingToken: event.fencingToken, duration: Math.round(event.duration) },
        'job succeeded',
      ),
    failed: (event) =>
      logger.error({ ...facts(event), duration: Math.round(event.duration), err: event.error }, 'job failed'),
    lost: (event) => logger.error({ ...facts(event), err: event.error }, 'lock lost while the job ran'),
    missed: (event) => {
      const fields = { ...facts(event), reason: event.reason, until: event.until, err: event.error }
      // A stop on purpose is no fault.
      if (event.reason === 'stopped') logger.info(fields, 'tick not requested: the scheduler stops')
      else logger.warn(fields, 'tick missed')
    },
    paused: ({ job }) => logger.info({ job }, 'job paused for the whole cluster'),
    resumed: ({ job }) => logger.info({ job }, 'job resumed'),
    'store-error': ({ job, action, error }) => logger.warn({ job, action, err: error }, 'store failed'),
    'clock-skew': ({ skew, uncertainty }) =>
      logger.warn({ skew, uncertainty }, "this machine's clock differs from the store's; ticks go by the store's"),
    'future-tick': ({ job, lastTick, ahead }) =>
      logger.warn(
        { job, lastTick, ahead: Math.round(ahead) },
        `job can't run before its last tick, which lies in the future: to set it back run: ticklock reset ${shellWord(job)}`,
      ),
    'schedule-error': ({ job, error }) => logger.error({ job, err: error }, 'job is not scheduled any more'),
  }
  return (name, event) => lines[name]?.(event)
}

const facts = ({ job, kind, scheduledAt }: JobEvent): object => ({ job, kind, scheduledAt })
