import { type DynamicModule, Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common'
import { DiscoveryModule, DiscoveryService } from '@nestjs/core'
import { Locker } from '../../locker/locker.ts'
import type { LockProvider } from '../../provider/contract.ts'
import { Scheduler } from '../../scheduler/scheduler.ts'
import { TicklockHealthIndicator } from './health.ts'
import { TicklockLifecycle } from './lifecycle.ts'
import { readModuleOptions, type TicklockModuleOptions } from './options.ts'

/** The token of the provider that keeps the locks: `@Inject(TICKLOCK_PROVIDER)`. */
export const TICKLOCK_PROVIDER = Symbol.for('ticklock.nestjs.provider')
/** The token of the module's options. */
const OPTIONS = Symbol.for('ticklock.nestjs.options')

/** A class that makes the module's options. */
export interface TicklockOptionsFactory {
  createTicklockOptions(): TicklockModuleOptions | Promise<TicklockModuleOptions>
}

/** Where the options come from: exactly one of `useFactory`, `useClass` and `useExisting`. */
export interface TicklockAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: readonly (string | symbol | Type)[]
  readonly useFactory?: (...injected: never[]) => TicklockModuleOptions | Promise<TicklockModuleOptions>
  readonly useClass?: Type<TicklockOptionsFactory>
  readonly useExisting?: string | symbol | Type<TicklockOptionsFactory>
}

/**
 * Brings a `Scheduler`, a `Locker`, {@link TICKLOCK_PROVIDER} and {@link TicklockHealthIndicator} into the whole app. Finds `@Job` and `@SchedulerLock` on its
 * providers and controllers; starts with the app, and drains when it is closed. Call `app.enableShutdownHooks()` so that SIGTERM closes it.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: what Nest takes for a module is a class
export class TicklockModule {
  /** @throws {InvalidOptionError} when the app starts, for a wrong option. */
  static forRoot(options: TicklockModuleOptions): DynamicModule {
    return moduleWith([{ provide: OPTIONS, useValue: options }])
  }

  /** As `forRoot`, with options that are made of other providers. */
  static forRootAsync(options: TicklockAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, useClass, useExisting } = options
    if (useFactory) return moduleWith([{ provide: OPTIONS, useFactory, inject: [...inject] } as Provider], imports)
    const factory = useExisting ?? useClass
    if (!factory) throw new TypeError('TicklockModule.forRootAsync: give useFactory, useClass or useExisting')
    const made = {
      provide: OPTIONS,
      useFactory: (of: TicklockOptionsFactory) => of.createTicklockOptions(),
      inject: [factory],
    }
    return moduleWith(useClass ? [useClass, made] : [made], imports)
  }
}
// As the decorator would: the package is compiled without experimentalDecorators.
Module({})(TicklockModule)

const moduleWith = (options: Provider[], imports: NonNullable<ModuleMetadata['imports']> = []): DynamicModule => ({
  module: TicklockModule,
  global: true,
  imports: [DiscoveryModule, ...imports],
  providers: [...options, ...PROVIDERS],
  exports: [Scheduler, Locker, TICKLOCK_PROVIDER, TicklockHealthIndicator],
})

const PROVIDERS: Provider[] = [
  {
    provide: TICKLOCK_PROVIDER,
    useFactory: ({ provider }: TicklockModuleOptions) => provider,
    inject: [OPTIONS],
  },
  {
    provide: Scheduler,
    useFactory: (options: TicklockModuleOptions) => new Scheduler(readModuleOptions(options).ofScheduler),
    inject: [OPTIONS],
  },
  {
    provide: Locker,
    useFactory: ({ provider, label, storeTimeout, maxClockSkew, clock }: TicklockModuleOptions) =>
      new Locker({ provider, label, storeTimeout, maxClockSkew, clock }),
    inject: [OPTIONS],
  },
  {
    provide: TicklockHealthIndicator,
    useFactory: (provider: LockProvider, scheduler: Scheduler) => new TicklockHealthIndicator(provider, scheduler),
    inject: [TICKLOCK_PROVIDER, Scheduler],
  },
  {
    provide: TicklockLifecycle,
    useFactory: (
      options: TicklockModuleOptions,
      discovery: DiscoveryService,
      scheduler: Scheduler,
      locker: Locker,
      provider: LockProvider,
    ) => new TicklockLifecycle({ options, discovery, scheduler, locker, provider }),
    inject: [OPTIONS, DiscoveryService, Scheduler, Locker, TICKLOCK_PROVIDER],
  },
]
