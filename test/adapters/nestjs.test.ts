import 'reflect-metadata'
import { Injectable, Module, Scope } from '@nestjs/common'
import { Cron, Interval, ScheduleModule, Timeout } from '@nestjs/schedule'
import { HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { Test, type TestingModule } from '@nestjs/testing'
import { currentLock, Locker, type LockProvider, Scheduler } from 'ticklock'
import { Locked } from 'ticklock/decorators'
import { memory } from 'ticklock/memory'
import {
  Job,
  SchedulerLock,
  TICKLOCK_PROVIDER,
  TicklockHealthIndicator,
  TicklockModule,
  type TicklockModuleOptions,
} from 'ticklock/nestjs'
import { describe, expect, it, vi } from 'vitest'

type Class = abstract new (...args: never[]) => object

/** Decorates a method as TypeScript does with `experimentalDecorators`: from the lowest to the uppermost. */
function decorate(target: Class, key: string, ...decorators: readonly unknown[]): void {
  let descriptor = Object.getOwnPropertyDescriptor(target.prototype, key) as PropertyDescriptor
  for (const each of [...decorators].reverse()) {
    const answer = (each as MethodDecorator)(target.prototype, key, descriptor)
    descriptor = (answer as PropertyDescriptor | undefined) ?? descriptor
  }
  Object.defineProperty(target.prototype, key, descriptor)
}

/** A gate that work waits at, and what opens it. */
function gate(): [open: () => void, gate: Promise<void>] {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return [() => open(), opened]
}

const lockAtMostFor = '1m'
const tickNow = (): number | undefined => currentLock()?.tick?.getTime()

/** An app over a store. Each has classes of its own, as two processes have. */
async function app(options: TicklockModuleOptions, ...providers: readonly Class[]): Promise<TestingModule> {
  for (const each of providers) Injectable()(each)
  const imports = [ScheduleModule.forRoot(), TicklockModule.forRoot(options)]
  const module = await Test.createTestingModule({ imports, providers: providers as never }).compile()
  module.useLogger(false)
  return module.init()
}

/** A class whose method Nest calls by these decorators, and what it ran. */
function scheduled(runs: (number | undefined)[], ...decorators: readonly unknown[]): Class {
  class Scheduled {
    async run(): Promise<void> {
      runs.push(tickNow())
    }
  }
  decorate(Scheduled, 'run', ...decorators)
  return Scheduled
}

/** Lets two apps over one store run until three ticks were run, and answers these. */
async function runsOfTwoApps(decorators: readonly unknown[]): Promise<(number | undefined)[]> {
  const provider = memory()
  const runs: (number | undefined)[] = []
  const apps = [
    await app({ provider }, scheduled(runs, ...decorators)),
    await app({ provider }, scheduled(runs, ...decorators)),
  ]
  await vi.waitFor(() => expect(runs.length).toBeGreaterThanOrEqual(3), { timeout: 15_000 })
  for (const each of apps) await each.close()
  return runs
}

const lock = (name: string, more: object = {}): unknown => SchedulerLock({ name, lockAtMostFor, ...more })

describe('@SchedulerLock', () => {
  it.each([
    ['above', [lock('a'), Cron('* * * * * *', { timeZone: 'Asia/Kolkata' })]],
    ['below', [Cron('* * * * * *', { name: 'mine' }), lock('a')]],
  ])('%s @Cron runs each tick once in two apps, with its nominal time', async (_, decorators) => {
    const runs = await runsOfTwoApps(decorators)
    expect(runs.every((tick) => tick !== undefined && tick % 1000 === 0)).toBe(true)
    expect(new Set(runs).size).toBe(runs.length)
  })

  it.each([
    ['above', [lock('a'), Interval(400)]],
    ['below', [Interval(400), lock('a')]],
  ])('%s @Interval runs once in each window of its length', async (_, decorators) => {
    const runs = await runsOfTwoApps(decorators)
    expect(runs.every((tick) => tick !== undefined && tick % 400 === 0)).toBe(true)
    expect(new Set(runs).size).toBe(runs.length)
  })

  it.each([
    ['above', [lock('a', { lockAtLeastFor: '1m' }), Timeout(10)]],
    ['below', [Timeout(10), lock('a', { lockAtLeastFor: '1m' })]],
  ])('%s @Timeout has no tick, and lockAtLeastFor keeps a second node out', async (_, decorators) => {
    const provider = memory()
    const runs: (number | undefined)[] = []
    const first = await app({ provider }, scheduled(runs, ...decorators))
    await vi.waitFor(() => expect(runs).toEqual([undefined]))
    const skips: unknown[] = []
    const events = { emit: (_event: string, skip: unknown) => skips.push(skip) }
    const second = await app({ provider }, scheduled(runs, Timeout(10), lock('a', { lockAtLeastFor: '1m', events })))
    await vi.waitFor(() => expect(skips).toMatchObject([{ name: 'a', reason: 'held' }]))
    expect(runs).toEqual([undefined])
    await first.close()
    await second.close()
  })
})

describe('a locked method without its tick is refused at the first call:', () => {
  it.each([
    ['@SchedulerLock beside @Timeout', [lock('a'), Timeout(1)], /lockAtLeastFor/],
    ['@SchedulerLock beside nothing', [lock('a')], /give it cron/],
    ['@Locked beside @Cron', [Locked({ name: 'a', lockAtMostFor }), Cron('0 0 1 1 *')], /use @SchedulerLock/],
    ['@Locked beside @Interval', [Interval(1_000_000), Locked({ name: 'a', lockAtMostFor })], /use @SchedulerLock/],
  ])('%s', async (_, decorators, message) => {
    const runs: (number | undefined)[] = []
    const Scheduled = scheduled(runs, ...(decorators as unknown[]))
    const module = await app({ provider: memory() }, Scheduled)
    await expect((module.get(Scheduled) as { run(): Promise<void> }).run()).rejects.toThrow(message as RegExp)
    expect(runs).toEqual([])
    await module.close()
  })
})

describe('TicklockModule', () => {
  it('registers @Job methods, starts with the app, and injects its parts', async () => {
    const provider = memory()
    const ran: string[] = []
    class Jobs {
      async run({ name }: { readonly name: string }): Promise<void> {
        ran.push(name)
      }
    }
    decorate(Jobs, 'run', Job({ name: 'often', every: '100ms', lockAtMostFor }))
    const module = await app({ provider, label: 'this-node' }, Jobs)
    expect(module.get(Scheduler).jobs).toEqual(['often'])
    expect(module.get(Locker)).toBeInstanceOf(Locker)
    expect(module.get(TICKLOCK_PROVIDER)).toBe(provider)
    await vi.waitFor(() => expect(ran).toContain('often'))
    await module.close()
  })

  it('takes its options from other providers', async () => {
    const provider = memory()
    class Config {
      readonly label = 'configured'
    }
    Injectable()(Config)
    class ConfigModule {}
    Module({ providers: [Config], exports: [Config] })(ConfigModule)
    class Options {
      createTicklockOptions(): TicklockModuleOptions {
        return { provider }
      }
    }
    const useFactory = ({ label }: Config): TicklockModuleOptions => ({ provider, label })
    for (const options of [{ imports: [ConfigModule], inject: [Config], useFactory }, { useClass: Options }]) {
      const imports = [TicklockModule.forRootAsync(options)]
      const module = await (await Test.createTestingModule({ imports }).compile()).init()
      expect(module.get(TICKLOCK_PROVIDER)).toBe(provider)
      await module.close()
    }
  })

  it('refuses wrong options when the app starts, and registers nothing of a class that lives for a request', async () => {
    await expect(app({ provider: memory(), graceFro: '1s' } as never)).rejects.toThrow(/unknown option "graceFro"/)
    class PerRequest {
      run(): void {}
    }
    decorate(PerRequest, 'run', Job({ name: 'never', every: '1h', lockAtMostFor }))
    Injectable({ scope: Scope.REQUEST })(PerRequest)
    const imports = [TicklockModule.forRoot({ provider: memory() })]
    const warnings: string[] = []
    const logger = { log() {}, error() {}, warn: (message: string) => void warnings.push(message) }
    const module = await Test.createTestingModule({ imports, providers: [PerRequest] })
      .setLogger(logger)
      .compile()
    await module.init()
    expect(module.get(Scheduler).jobs).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/PerRequest lives for a request only/)])
    await module.close()
  })

  it('waits for jobs and locked methods when the app is closed, then lets go of the store', async () => {
    const order: string[] = []
    const store = memory()
    const provider: LockProvider = {
      ...store,
      async close() {
        order.push('store closed')
      },
    }
    const [openJob, jobGate] = gate()
    const [openMethod, methodGate] = gate()
    class Slow {
      async job(): Promise<void> {
        order.push('job began')
        await jobGate
        order.push('job ended')
      }
      async method(): Promise<void> {
        order.push('method began')
        await methodGate
        order.push('method ended')
      }
    }
    decorate(Slow, 'job', Job({ name: 'slow', every: '100ms', lockAtMostFor }))
    decorate(Slow, 'method', Timeout(1), lock('method', { lockAtLeastFor: 1 }))
    const module = await app({ provider }, Slow)
    await vi.waitFor(() => expect([...order].sort()).toEqual(['job began', 'method began']))
    const closed = module.close().then(() => order.push('closed'))
    const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))
    await aWhile()
    expect(order).toHaveLength(2)
    openJob()
    await aWhile()
    expect(order.slice(2)).toEqual(['job ended'])
    openMethod()
    await closed
    expect(order.slice(3)).toEqual(['method ended', 'store closed', 'closed'])
  })

  it('waits no longer than its grace', async () => {
    class Endless {
      async run(): Promise<void> {
        await new Promise(() => {})
      }
    }
    decorate(Endless, 'run', Timeout(1), lock('endless', { lockAtLeastFor: 1 }))
    const store = memory()
    const module = await app({ provider: store, graceFor: '100ms' }, Endless)
    await vi.waitFor(async () => expect(await store.read(['endless'])).toHaveLength(1))
    await module.close()
  })
})

describe('the health indicator', () => {
  it('tells terminus whether the store answers', async () => {
    const store = memory()
    let down = false
    const provider: LockProvider = {
      ...store,
      read: (names) => (down ? Promise.reject(new Error('the store is down')) : store.read(names)),
    }
    const imports = [TerminusModule.forRoot({ logger: false }), TicklockModule.forRoot({ provider })]
    const module = await (await Test.createTestingModule({ imports }).compile()).init()
    const indicator = module.get(TicklockHealthIndicator)
    const health = await module.resolve(HealthCheckService)
    const check = () => health.check([() => indicator.isHealthy()])
    expect(await check()).toMatchObject({ status: 'ok', info: { ticklock: { status: 'up', jobs: 0, clockSkew: 0 } } })
    down = true
    await expect(check()).rejects.toMatchObject({
      response: { status: 'error', error: { ticklock: { status: 'down', message: 'the store is down' } } },
    })
    await module.close()
  })

  it('does not wait for a store that is silent', async () => {
    const provider = { ...memory(), read: () => new Promise<never>(() => {}) }
    const indicator = new TicklockHealthIndicator(provider, new Scheduler({ provider }))
    expect(await indicator.isHealthy('locks', { timeout: 20 })).toMatchObject({
      locks: { status: 'down', message: 'the store did not respond within 20 ms' },
    })
  })
})
