import {
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common'
import type { DiscoveryService } from '@nestjs/core'
import { useLocker } from '../../decorators/bound-locker.ts'
import { jobsOf } from '../../decorators/declarations.ts'
import { hasLockedMethods } from '../../decorators/marks.ts'
import { registerJobs } from '../../decorators/register.ts'
import { parseDuration } from '../../duration.ts'
import type { Locker } from '../../locker/locker.ts'
import type { LockProvider } from '../../provider/contract.ts'
import type { Scheduler } from '../../scheduler/scheduler.ts'
import { readModuleOptions, type TicklockModuleOptions } from './options.ts'
import { RunningCalls } from './running-calls.ts'
import { type CronJobs, rememberCronJobs } from './scheduler-lock.ts'

interface Parts {
  readonly options: TicklockModuleOptions
  readonly discovery: DiscoveryService
  readonly scheduler: Scheduler
  readonly locker: Locker
  readonly provider: LockProvider
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number]

/**
 * What happens when the app starts and stops. Jobs are registered and methods get their locker before anything is scheduled
 * (`onModuleInit`), and jobs begin when all modules are ready (`onApplicationBootstrap`). At the stop, the first hook (`onModuleDestroy`) begins no new
 * job and waits for what runs; the store is let go of in the last one (`onApplicationShutdown`).
 */
export class TicklockLifecycle implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #parts: Parts
  readonly #calls: RunningCalls
  readonly #logger = new Logger('Ticklock')

  constructor(parts: Parts) {
    this.#parts = parts
    this.#calls = new RunningCalls(parts.locker)
  }

  onModuleInit(): void {
    const { discovery } = this.#parts
    const wrappers = [...discovery.getProviders(), ...discovery.getControllers()]
    const cronJobs = wrappers.map(({ instance }) => instance).find(isSchedulerRegistry)
    const seen = new Set<unknown>()
    for (const wrapper of wrappers) {
      const { metatype } = wrapper
      for (const target of [this.#instanceOf(wrapper), metatype]) {
        if (!isObject(target) || seen.has(target)) continue
        seen.add(target)
        this.#takeUp(target, cronJobs)
      }
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    const { provider, options, scheduler } = this.#parts
    if (readModuleOptions(options).setup) await provider.setup?.()
    await scheduler.start()
  }

  async onModuleDestroy(): Promise<void> {
    const { graceFor } = readModuleOptions(this.#parts.options)
    const ms = parseDuration(graceFor, { of: 'TicklockModule', option: 'graceFor' })
    await Promise.all([this.#parts.scheduler.stop({ graceFor }), this.#calls.idleWithin(ms)])
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#parts.provider.close()
  }

  #takeUp(target: object, cronJobs: CronJobs | undefined): void {
    if (hasLockedMethods(target)) {
      useLocker(this.#calls as unknown as Locker, target)
      if (cronJobs) rememberCronJobs(target, cronJobs)
    }
    if (jobsOf(target).length > 0) registerJobs(this.#parts.scheduler, target)
  }

  /** A provider that lives for a request only has no instance that could run jobs. */
  #instanceOf(wrapper: Wrapper): unknown {
    if (wrapper.isDependencyTreeStatic()) return wrapper.instance
    const { prototype } = wrapper.metatype ?? {}
    if (isObject(prototype) && (jobsOf(prototype).length > 0 || hasLockedMethods(prototype))) {
      this.#logger.warn(
        `${wrapper.name} lives for a request only, so its @Job methods don't run, and its locked methods have no locker`,
      )
    }
    return undefined
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

const isSchedulerRegistry = (value: unknown): value is CronJobs =>
  isObject(value) && value.constructor?.name === 'SchedulerRegistry' && 'getCronJobs' in value
