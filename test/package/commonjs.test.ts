/* The package is built twice, as ES modules and as CommonJS. A process may load both: what one makes, the other has to know. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as esm from 'ticklock'
import * as decorators from 'ticklock/decorators'
import { memory } from 'ticklock/memory'
import { expect, it } from 'vitest'

const require = createRequire(import.meta.url)
const cjs = require('ticklock') as typeof esm
const cjsDecorators = require('ticklock/decorators') as typeof decorators
const manifest = require('ticklock/package.json') as { exports: Record<string, { require?: object } | string> }
const entries = Object.entries(manifest.exports).flatMap(([entry, to]) =>
  typeof to === 'string' ? [] : [`ticklock${entry.slice(1)}`],
)

it.each(entries)('%s is the same for require() and for import', async (entry) => {
  const required = require(entry) as object
  const imported = (await import(entry)) as object
  const exported = Object.keys(imported).filter((name) => name !== 'module.exports')
  expect(Object.keys(required).sort()).toEqual(exported.sort())
})

it('loads as CommonJS, not as an ES module by require()', () => {
  expect(cjs.Scheduler).not.toBe(esm.Scheduler)
  expect(Object.prototype.toString.call(cjs)).toBe('[object Object]')
})

it('errors of one are known to the other', async () => {
  const obtain = (locker: esm.Locker): Promise<esm.Lock> => locker.obtain('a', '1m')
  const provider = memory()
  await obtain(new esm.Locker({ provider }))
  const error = await obtain(new cjs.Locker({ provider })).catch((thrown: unknown) => thrown)
  for (const copy of [esm, cjs]) {
    expect(error).toBeInstanceOf(copy.ErrNotObtained)
    expect(error).toBeInstanceOf(copy.TicklockError)
    expect(copy.isNotObtained(error)).toBe(true)
    expect(copy.isStoreError(error)).toBe(false)
  }
})

it('the current lock of one is that of the other, in both directions', async () => {
  for (const [one, other] of [
    [esm, cjs],
    [cjs, esm],
  ] as const) {
    const locker = new one.Locker({ provider: memory() })
    await locker.withLock({ name: 'a', lockAtMostFor: '1m' }, async () => {
      await Promise.resolve()
      expect(other.currentLock()?.name).toBe('a')
      expect(other.assertLocked('a').held).toBe(true)
    })
    expect(other.currentLock()).toBeUndefined()
  }
})

it('jobs and lockers that one declares are found by the other', async () => {
  class Reports {
    @cjsDecorators.Job({ name: 'report', every: '1h', lockAtMostFor: '1m' })
    report(): void {}

    @cjsDecorators.Locked({ name: 'sync', lockAtMostFor: '1m' })
    async sync(): Promise<string | undefined> {
      return esm.currentLock()?.name
    }
  }
  const provider = memory()
  const scheduler = new esm.Scheduler({ provider })
  const reports = new Reports()
  decorators.registerJobs(scheduler, reports)
  decorators.useLocker(new esm.Locker({ provider }), reports)
  expect(scheduler.jobs).toEqual(['report'])
  expect(await reports.sync()).toBe('sync')
  await scheduler.stop()
})

it('serves the same page of the dashboard', async () => {
  const { dashboard } = require('ticklock/dashboard') as typeof import('ticklock/dashboard')
  expect(typeof dashboard).toBe('function')
  const { pageFolder } = require('../../dist/cjs/src/dashboard/page-folder.js') as { pageFolder: string }
  expect(readFileSync(`${pageFolder}index.html`, 'utf8')).toContain('<html')
})
