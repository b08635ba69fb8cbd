import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** What `npm run bench` does, on a server of its own: it empties its table as it likes. */
async function bench(...args: string[]): Promise<string> {
  const env = { ...process.env, TICKLOCK_TEST_POSTGRES_URL: undefined }
  const { stdout } = await run(process.execPath, [join(root, 'bench/dist/bench/bench.js'), ...args], { cwd: root, env })
  return stdout
}

beforeAll(async () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  await run(process.execPath, [tsc, '-p', join(root, 'bench/tsconfig.json')])
})

it('prints what it measured as JSON, without the packages that only rivals need', { timeout: 60_000 }, async () => {
  const results = JSON.parse(
    await bench('--only', 'one-after-another,refused-tick', '--stores', 'postgres', '--quick', '--json'),
  )
  expect(results.map(({ name }: { name: string }) => name)).toEqual([
    'one-after-another',
    'one-after-another: a pair',
    'one-after-another: statements for a pair',
    'refused-tick: log written',
    'refused-tick',
    'refused-tick: time',
  ])
  for (const result of results) {
    expect(Object.keys(result)).toEqual(['name', 'provider', 'value', 'unit', 'aim', 'ok'])
    expect(result).toMatchObject({ provider: 'postgres', unit: expect.any(String), ok: expect.any(Boolean) })
    expect(result.value).toBeTypeOf('number')
    expect(result.aim === null || typeof result.aim === 'string').toBe(true)
  }
  // Whatever the machine and however few the rounds: what is refused writes nothing.
  expect(results).toContainEqual({
    name: 'refused-tick: log written',
    provider: 'postgres',
    value: 0,
    unit: 'bytes',
    aim: '0',
    ok: true,
  })
})

it('counts the runs of a sustained rate, with and without history', { timeout: 120_000 }, async () => {
  const args = ['--stores', 'redis', '--processes', '1', '--seconds', '1']
  const results = JSON.parse(await bench('--only', 'sustained', ...args, '--quick', '--json'))
  const twice = results.filter(({ name }: { name: string }) => name === 'sustained: ticks run twice')
  expect(twice).toEqual([
    { name: 'sustained: ticks run twice', provider: 'redis, 1 nodes', value: 0, unit: 'of 100', aim: '0', ok: true },
    expect.objectContaining({ provider: 'redis, 1 nodes, history', value: 0, unit: 'of 100' }),
  ])
  expect(results.map(({ name }: { name: string }) => name)).toContain('sustained: minute 1: memory of a node')
})

it('lists its rows, and says which options it has', async () => {
  expect(await bench('--list')).toMatch(/^growth +cost as it grows/m)
  expect(await bench('--help')).toMatch(/--conditions NAME/)
  await expect(bench('--only', 'nothing')).rejects.toThrow(/no row is called nothing/)
})
