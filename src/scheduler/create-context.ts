import { type Clock, systemClock } from '../clock.ts'
import { parseDuration } from '../duration.ts'
import { ClockJumps } from '../lock/clock-jumps.ts'
import { checkLabel, defaultLabel } from '../lock/label.ts'
import { MAX_CLOCK_SKEW } from '../lock/lock-options.ts'
import { type ClockReading, ProviderClient } from '../lock/provider-client.ts'
import { loggerFor, safeLogger } from '../logger.ts'
import { StoreAvailability } from './clock/store-availability.ts'
import { StoreClock } from './clock/store-clock.ts'
import { Emitter } from './emitter.ts'
import { logEvents } from './log-events.ts'
import type { SchedulerContext } from './scheduler-context.ts'
import type { SchedulerOptions } from './scheduler-options.ts'
import { RequestOrder } from './spread/request-order.ts'

/** What the scheduler itself brings to the context. */
interface Hooks
  extends Pick<SchedulerContext, 'stopping' | 'closing' | 'scopes' | 'track' | 'reschedule' | 'noteMissed'> {
  /** A response of the store brought a reading of its clock. */
  onReading(): void
}

/**
 * Makes what the parts of one scheduler share.
 *
 * @throws {InvalidOptionError} that names the option and the value.
 */
export function createContext(options: SchedulerOptions, of: string, hooks: Hooks): SchedulerContext {
  const { clock = systemClock, random = Math.random, spread = true } = options
  const { onReading, ...shared } = hooks
  const label = options.label === undefined ? defaultLabel() : checkLabel(options.label, of)
  const logger = loggerFor(options.logger)
  const lines = safeLogger(logger)
  const events = new Emitter((event, err) => lines.error({ event, err }, 'a listener threw'))
  if (options.logger !== false) logEvents(events, lines, { verbose: options.logger !== undefined })
  const jumps = new ClockJumps(clock)
  const storeClock = new StoreClock(clock, jumps)
  const availability = new StoreAvailability()
  const requestOrder = new RequestOrder({ clock, label, random, spread })
  const client = createClient(options, of, { clock, jumps }, (reading) => {
    storeClock.observe(reading)
    requestOrder.responded(reading.receivedAt - reading.sent.monotonic)
    availability.responded()
    onReading()
  })
  const maxClockSkew = parseDuration(options.maxClockSkew ?? MAX_CLOCK_SKEW, { of, option: 'maxClockSkew' })
  return {
    ...shared,
    clock,
    storeClock,
    availability,
    events,
    logger,
    random,
    requestOrder,
    acquireContext: { client, label, maxClockSkew },
    running: new Map(),
    lastRunTick: new Map(),
  }
}

function createClient(
  { provider, storeTimeout = '5s' }: SchedulerOptions,
  of: string,
  clocks: { readonly clock: Clock; readonly jumps: ClockJumps },
  onReading: (reading: ClockReading) => void,
): ProviderClient {
  const timeout = parseDuration(storeTimeout, { of, option: 'storeTimeout', min: 1 })
  return new ProviderClient({ provider, ...clocks, timeout, onReading, gatherReleases: true })
}
