import { type Logger, safeLogger } from '../logger.ts'
import { shellWord } from '../provider/record.ts'
import type { Emitter } from './emitter.ts'
import type { JobEvent } from './events.ts'

/**
 * Logs one line for each event that matters, by pino's conventions: errors as `err`, ordinary skips at debug. Without
 * `verbose` only warnings and errors: an event that nobody listens to is not made, and a cluster skips thousands of
 * ticks a second.
 */
export function logEvents(events: Emitter, logger: Logger, { verbose }: { readonly verbose: boolean }): void {
  events.on('failed', (event) =>
    logger.error({ ...facts(event), duration: Math.round(event.duration), err: event.error }, 'job failed'),
  )
  events.on('lost', (event) => logger.error({ ...facts(event), err: event.error }, 'lock lost while the job ran'))
  events.on('missed', (event) => {
    const { reason, until, error: err } = event
    const fields = { ...facts(event), reason, until, err }
    if (reason !== 'stopped') logger.warn(fields, 'tick missed')
    // A stop that somebody asked for is no fault.
    else if (verbose) logger.info(fields, 'tick not requested: the scheduler stops')
  })
  events.on('store-error', ({ job, action, error }) => logger.warn({ job, action, err: error }, 'store failed'))
  events.on('clock-skew', ({ skew, uncertainty }) =>
    logger.warn({ skew, uncertainty }, "this machine's clock differs from the store's; ticks go by the store's"),
  )
  events.on('future-tick', ({ job, lastTick, ahead }) =>
    logger.warn(
      { job, lastTick, ahead: Math.round(ahead) },
      `job can't run before its last tick, which lies in the future: to set it back run: ticklock reset ${shellWord(job)}`,
    ),
  )
  events.on('schedule-error', ({ job, error }) => logger.error({ job, err: error }, 'job is not scheduled any more'))
  if (verbose) logMore(events, logger)
}

function logMore(events: Emitter, logger: Logger): void {
  events.on('skipped', ({ reason, heldBy, heldUntil, ...event }) => {
    // That one is logged as an error, see below.
    if (reason !== 'clock-ahead') logger.debug({ ...facts(event), reason, heldBy, heldUntil }, 'tick skipped')
  })
  events.on('started', (event) => logger.debug({ ...facts(event), fencingToken: event.fencingToken }, 'job started'))
  events.on('succeeded', (event) =>
    logger.info(
      { ...facts(event), fencingToken: event.fencingToken, duration: Math.round(event.duration) },
      'job succeeded',
    ),
  )
  events.on('paused', ({ job }) => logger.info({ job }, 'job paused for the whole cluster'))
  events.on('resumed', ({ job }) => logger.info({ job }, 'job resumed'))
}

/** Logs a tick that was refused with `clock-ahead`: the only skipped one that is worth an error. */
export const logClockAhead = (logger: Logger, event: JobEvent): void =>
  safeLogger(logger).error(
    { ...facts(event), reason: 'clock-ahead' },
    "tick refused: it lies ahead of the store's clock, check this machine's",
  )

const facts = ({ job, kind, scheduledAt }: JobEvent): object => ({ job, kind, scheduledAt })
