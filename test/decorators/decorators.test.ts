import { Locker, Scheduler } from 'ticklock'
import { ignoreJobs, registerJobs, useLocker } from 'ticklock/decorators'
import { memory } from 'ticklock/memory'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Compiled, compile } from './compile.ts'

type Classes = typeof import('./fixtures/classes.ts')
type Private = typeof import('./fixtures/private.ts')

/** A gate that work waits at. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

const newScheduler = (): Scheduler => new Scheduler({ provider: memory() })
const newLocker = (): Locker => new Locker({ provider: memory() })

const FORMS = [
  { form: 'the standard form', options: {}, emits: '__esDecorate' },
  {
    form: 'the legacy form',
    options: { experimentalDecorators: true, emitDecoratorMetadata: true },
    emits: '__decorate(',
  },
]

describe.each(FORMS)('decorators in $form', ({ options, emits }) => {
  let compiled: Compiled
  let fixture: Classes
  beforeAll(async () => {
    compiled = compile(['classes'], options)
    expect(compiled.errors).toBe('')
    fixture = await compiled.import<Classes>('classes')
  })
  afterAll(() => compiled.remove())
  beforeEach(() => void fixture.calls.splice(0))

  it('are compiled in that form', () => expect(compiled.text('classes')).toContain(emits))

  describe('@Job', () => {
    it('runs the method on its instance, under the lock', async () => {
      await using scheduler = newScheduler()
      expect(registerJobs(scheduler, new fixture.Reports(newLocker(), 'mine'))).toEqual(['nightly'])
      expect(scheduler.jobs).toEqual(['nightly'])
      expect(await scheduler.trigger('nightly')).toMatchObject({ ran: true })
      expect(fixture.calls).toEqual(['mine: nightly number'])
    })

    it('is inherited, and an override is what runs', async () => {
      await using scheduler = newScheduler()
      registerJobs(scheduler, new fixture.MonthlyReports(newLocker(), 'sub'))
      await scheduler.trigger('nightly')
      expect(fixture.calls).toEqual(['overridden', 'sub: nightly number'])
    })

    it('on an override takes the place of the inherited job', async () => {
      await using scheduler = newScheduler()
      expect(registerJobs(scheduler, new fixture.HourlyReports(newLocker()))).toEqual(['hourly'])
      await scheduler.trigger('hourly')
      expect(fixture.calls).toEqual(['hourly'])
    })

    it('has a job for each instance when the name is made from it', async () => {
      await using scheduler = newScheduler()
      const names = registerJobs(scheduler, new fixture.Tenant('a'), new fixture.Tenant('b'))
      expect(names).toEqual(['poll:a', 'poll:b'])
      await scheduler.trigger('poll:b')
      expect(fixture.calls).toEqual(['poll b as poll:b'])
    })

    it('with one name refuses a second instance, and registers nothing of it', async () => {
      await using scheduler = newScheduler()
      registerJobs(scheduler, new fixture.Reports(newLocker()))
      expect(() => registerJobs(scheduler, new fixture.Reports(newLocker()))).toThrow(/nightly.*used by another job/)
      expect(scheduler.jobs).toEqual(['nightly'])
    })

    it('on a static method belongs to the class', async () => {
      await using scheduler = newScheduler()
      expect(registerJobs(scheduler, fixture.Statics)).toEqual(['static-job'])
      await scheduler.trigger('static-job')
      expect(fixture.calls).toEqual(['static: ran'])
    })

    it('may stand on a method more than once', async () => {
      await using scheduler = newScheduler()
      expect(registerJobs(scheduler, new fixture.Twice()).sort()).toEqual(['at-noon', 'at-two'])
      await scheduler.trigger('at-noon')
      expect(fixture.calls).toEqual(['at-noon'])
    })

    it('goes with @Locked in either order', async () => {
      await using scheduler = newScheduler()
      const both = new fixture.BothOrders()
      useLocker(newLocker(), both)
      expect(registerJobs(scheduler, both).sort()).toEqual(['job-inside', 'job-outside'])
      await scheduler.trigger('job-inside')
      await scheduler.trigger('job-outside')
      expect(fixture.calls).toEqual(['inside', 'outside'])
    })

    it('refuses to register what has no jobs', async () => {
      await using scheduler = newScheduler()
      expect(() => registerJobs(scheduler, new fixture.Plain())).toThrow(
        /an instance of Plain has no methods with @Job/,
      )
      expect(() => registerJobs(scheduler, fixture.Reports)).toThrow(/class Reports, in its static methods,/)
    })
  })

  describe('@Locked', () => {
    it('runs one call of a name at a time, and the others return undefined', async () => {
      const reports = new fixture.Reports(newLocker())
      const { opened, open } = gate()
      const first = reports.sync('acme', opened)
      await vi.waitFor(() => expect(fixture.calls).toEqual(['r: sync acme']))
      expect(await reports.sync('acme', opened)).toBeUndefined()
      open()
      expect(await first).toBe('synced acme')
      expect(await reports.sync('acme', opened)).toBe('synced acme')
    })

    it('makes the name from the arguments', async () => {
      const reports = new fixture.Reports(newLocker())
      const { opened, open } = gate()
      const both = [reports.sync('a', opened), reports.sync('b', opened)]
      await vi.waitFor(() => expect(fixture.calls).toHaveLength(2))
      open()
      expect(await Promise.all(both)).toEqual(['synced a', 'synced b'])
    })

    it('excludes two instances that share a locker, and not two over different stores', async () => {
      const locker = newLocker()
      const { opened, open } = gate()
      const first = new fixture.Reports(locker).sync('acme', opened)
      await vi.waitFor(() => expect(fixture.calls).toHaveLength(1))
      expect(await new fixture.Reports(locker).sync('acme', opened)).toBeUndefined()
      open()
      expect(await new fixture.Reports(newLocker()).sync('acme', opened)).toBe('synced acme')
      await first
    })

    it('is inherited; an override is locked only where it calls super', async () => {
      const reports = new fixture.MonthlyReports(newLocker())
      const { opened, open } = gate()
      const first = reports.sync('acme', opened)
      await vi.waitFor(() => expect(fixture.calls).toEqual(['not locked', 'r: sync acme']))
      expect(await reports.sync('acme', opened)).toBeUndefined()
      expect(fixture.calls).toEqual(['not locked', 'r: sync acme', 'not locked'])
      open()
      await first
    })

    it('locks a static method with the locker of its class', async () => {
      useLocker(newLocker(), fixture.Statics)
      const { opened, open } = gate()
      const first = fixture.Statics.once(opened)
      await vi.waitFor(() => expect(fixture.calls).toEqual(['static: once']))
      expect(await fixture.Statics.once(opened)).toBeUndefined()
      open()
      expect(await first).toBe(true)
    })

    it('shows a skip as an error on request, or as what a callback answers', async () => {
      const guarded = new fixture.Guarded()
      useLocker(newLocker(), fixture.Guarded)
      const { opened, open } = gate()
      const first = guarded.orThrow(opened)
      await vi.waitFor(() => expect(fixture.calls).toEqual(['orThrow']))
      await expect(guarded.orThrow()).rejects.toMatchObject({ code: 'NOT_OBTAINED', lock: 'shared', reason: 'held' })
      expect(await guarded.orElse()).toBe('shared is held')
      expect(await guarded.orUndefined()).toBeUndefined()
      open()
      expect(await first).toBe(1)
      expect(await guarded.orElse()).toBe('ran')
    })

    it('takes a tick where it has a schedule', async () => {
      const guarded = new fixture.Guarded()
      useLocker(newLocker(), guarded)
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2020, 0, 1, 12, 10) })
      try {
        expect(await guarded.hourly()).toBe('ran')
        vi.setSystemTime(Date.UTC(2020, 0, 1, 12, 59))
        expect(await guarded.hourly()).toBeUndefined()
        vi.setSystemTime(Date.UTC(2020, 0, 1, 13, 0))
        expect(await guarded.hourly()).toBe('ran')
      } finally {
        vi.useRealTimers()
      }
    })

    it('passes on what the method throws, and frees the lock', async () => {
      const guarded = new fixture.Guarded()
      useLocker(newLocker(), guarded)
      await expect(guarded.fails()).rejects.toThrow('its own')
      await expect(guarded.fails()).rejects.toThrow('its own')
    })

    it('without a locker says what to do', async () => {
      await expect(new fixture.BothOrders().inside({} as never)).rejects.toThrow(/@Locked on inside\(\).*useLocker/)
    })
  })
})

describe('a decorated private method', () => {
  let compiled: Compiled
  let fixture: Private
  beforeAll(async () => {
    compiled = compile(['private'], {})
    expect(compiled.errors).toBe('')
    fixture = await compiled.import<Private>('private')
  })
  afterAll(() => compiled.remove())

  it('is a job of each instance that is registered', async () => {
    await using scheduler = newScheduler()
    const hidden = new fixture.Hidden()
    new fixture.Hidden()
    expect(registerJobs(scheduler, hidden)).toEqual(['hidden'])
    await scheduler.trigger('hidden')
    expect(hidden.ran).toBe(10)
  })

  it('is locked', async () => {
    const hidden = new fixture.Hidden()
    useLocker(newLocker(), hidden)
    const { opened, open } = gate()
    const first = hidden.work(opened)
    expect(await hidden.work(opened)).toBeUndefined()
    open()
    expect(await first).toBe(10)
  })
})

describe('a job that nobody registers', () => {
  let compiled: Compiled
  beforeAll(() => {
    compiled = compile(['forgotten'], {})
    expect(compiled.errors).toBe('')
  })
  afterAll(() => compiled.remove())

  it('is reported once, by its name and method, unless it was registered or is ignored', async () => {
    const warnings: NodeJS.ErrnoException[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const fixture = await compiled.import<typeof import('./fixtures/forgotten.ts')>('forgotten')
      await using scheduler = newScheduler()
      registerJobs(scheduler, new fixture.Remembered())
      ignoreJobs(fixture.ForAnotherProcess)
      vi.advanceTimersByTime(29_999)
      await new Promise(setImmediate)
      expect(warnings).toEqual([])
      vi.advanceTimersByTime(60_000)
      await vi.waitFor(() => expect(warnings).toHaveLength(2))
      expect(warnings).toMatchObject([
        {
          name: 'TicklockWarning',
          code: 'TICKLOCK_JOB_NOT_REGISTERED',
          message: expect.stringContaining('"forgotten"'),
        },
        { name: 'TicklockWarning', message: expect.stringContaining('a job (@Job on the method perInstance())') },
      ])
    } finally {
      vi.useRealTimers()
      process.off('warning', onWarning)
    }
  })
})

describe('the compiler', () => {
  it.each(FORMS)(
    'refuses a method with no room for what a skipped call returns, and wrong arguments of the name, in $form',
    ({ options }) => {
      const compiled = compile(['mistakes'], options)
      expect(compiled.errors).toBe('')
      compiled.remove()
    },
  )

  it.each(['class', 'field', 'accessor'])('is not all: the decorator itself refuses a %s', async (kind) => {
    const { Locked } = await import('ticklock/decorators')
    const decorate = Locked({ name: 'x', lockAtMostFor: 1 }) as unknown as (target: unknown, context: unknown) => void
    expect(() => decorate(undefined, { kind, name: 'x' })).toThrow(`@Locked stands on methods only, not on "${kind}"`)
  })
})
