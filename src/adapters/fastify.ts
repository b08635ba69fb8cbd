import type { FastifyInstance } from 'fastify'
import type { Duration } from '../duration.ts'
import { checkKeys, checkMethods } from '../options.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

export interface TicklockFastifyOptions {
  /** The scheduler, with its jobs registered or yet to be. Stopped with the server, which closes its provider unless `keepProviderOpen`. */
  readonly scheduler: Scheduler
  /** How long running jobs may go on when the server closes. @default '30s' */
  readonly graceFor?: Duration | undefined
}

/**
 * A plugin for Fastify 4.23 and later that starts a scheduler when the server listens, and drains it when the server closes: no tick begins any more as soon as
 * `close()` is called, and `close()` waits for the runs under way. Plugins that were registered before, such as a pool's, close after it. A
 * server that never listens, as in tests with `inject()`, runs no jobs.
 *
 * @example
 * app.register(ticklock, { scheduler })
 *
 * @throws {InvalidOptionError} from `register`, for a wrong option.
 */
export async function ticklock(app: FastifyInstance, options: TicklockFastifyOptions): Promise<void> {
  const of = 'ticklock for Fastify'
  checkKeys(options, ['scheduler', 'graceFor', 'prefix', 'logLevel', 'logSerializers'], of)
  checkMethods(options.scheduler, ['start', 'stop'], of, 'scheduler')
  const { scheduler, graceFor } = options
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= scheduler.stop({ graceFor })
    return stopped
  }
  app.addHook('onListen', () => scheduler.start())
  app.addHook('preClose', async () => {
    // No new ticks while requests are drained; who waits for the runs is onClose.
    stop().catch(() => {})
  })
  app.addHook('onClose', stop)
}

// As fastify-plugin does: hooks belong to the server as a whole, not to a part of it.
Object.assign(ticklock, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'ticklock',
  [Symbol.for('plugin-meta')]: { name: 'ticklock', fastify: '>=4.23 <6' },
})
