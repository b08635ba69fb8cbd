import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { findFaketime } from './faketime.ts'
import { fileStore } from './faults/file-store.ts'
import { serverStore } from './faults/server-store.ts'
import type { StoreUnderChaos } from './faults/store.ts'
import { type ChaosReport, runChaos } from './run-chaos.ts'
import { weatherFor } from './weather.ts'

const servers = inject('servers')
const SECONDS = 14
/** Picks the faults; any would do. */
const SEED = 3

let faketime: string | undefined
beforeAll(async () => {
  faketime = await findFaketime().catch((error: Error) => {
    console.error(`!!! chaos is NOT TESTED with clocks that are wrong: ${error.message}`)
    return undefined
  })
})

/** A short form of `npm run chaos`. What is judged is what a busy machine cannot make false: see test/README.md. */
async function survives(open: () => Promise<StoreUnderChaos>): Promise<void> {
  const store = await open()
  try {
    const { verdict, faults } = await runChaos({
      store,
      seed: SEED,
      nodes: 5,
      weather: weatherFor(SECONDS * 1_000),
      faketime,
    })
    expect(verdict.violations).toEqual([])
    expect(verdict.run).toBeGreaterThan(0)
    expect(Object.keys(faults).length).toBeGreaterThan(1)
  } finally {
    await store.stop()
  }
}

describe.concurrent('five nodes with wrong clocks, killed, stopped and cut off from a store that fails too', () => {
  for (const kind of [
    'mysql',
    'mongodb',
    'mariadb',
    'postgres',
    'redis',
    'dynamodb',
    'etcd',
    'nats',
    'zookeeper',
  ] as const) {
    it.skipIf('unavailable' in servers[kind])(`break no rule on ${kind}`, () => survives(() => serverStore(kind)))
  }

  it('break no rule on sqlite', () => survives(fileStore))
})

describe.concurrent('npm run chaos sees, and tells by its exit code', () => {
  it.each([
    ['no-tick-check', 'once per tick'],
    ['double-grant', 'one holder'],
  ])('a provider that is broken: %s', async (broken, rule) => {
    const { code, reports } = await chaos('--provider', 'sqlite', '--ticks', '70', '--seed', '1', '--break', broken)
    expect(code).toBe(1)
    expect(reports.flatMap(({ verdict }) => verdict.violations).map((violation) => violation.rule)).toContain(rule)
  })
})

function chaos(...args: readonly string[]): Promise<{ code: unknown; reports: ChaosReport[] }> {
  const program = fileURLToPath(new URL('./chaos.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', program, '--json', ...args], (error, stdout) => {
      try {
        resolve({ code: error?.code ?? 0, reports: JSON.parse(stdout) })
      } catch {
        reject(error)
      }
    })
  })
}
