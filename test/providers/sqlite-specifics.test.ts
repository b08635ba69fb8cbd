import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { acquireAll } from '../../src/testing/requests.ts'
import { ask, Belongings } from './sqlite-bench.ts'
import type { Task } from './sqlite-node.ts'

const own = new Belongings()
afterEach(() => own.clear())

/** Starts another process; its lines come one by one. */
function start(task: Task, path: string) {
  const script = fileURLToPath(new URL('./sqlite-node.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, task, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  own.atEnd(() => end(child))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { child, lines, next: async (): Promise<unknown> => (await lines.next()).value }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

async function rest(lines: AsyncIterator<string>): Promise<string[]> {
  const found: string[] = []
  for (let line = await lines.next(); !line.done; line = await lines.next()) found.push(line.value)
  return found
}

const integrity = async (path: string): Promise<unknown> =>
  (await own.database(path)).prepare('PRAGMA integrity_check').get()

describe('several processes on one file', () => {
  it('grant each name once, also when they make file and table at the same time', async () => {
    const path = own.newFile()
    const nodes = Array.from({ length: 4 }, () => start('race', path))
    for (const node of nodes) expect(await node.next()).toBe('ready')
    const names = Array.from({ length: 200 }, (_, index) => `job-${index}`)
    for (const { child } of nodes) child.stdin?.write(`${JSON.stringify(names)}\n`)
    const granted = (await Promise.all(nodes.map(({ lines }) => rest(lines)))).flat()
    expect(granted.sort()).toEqual([...names].sort())
    expect(await integrity(path)).toEqual({ integrity_check: 'ok' })
  })

  it('go on at once after one was killed while it wrote, and what it was granted stays', async () => {
    const path = own.newFile()
    const survivor = own.provider(path)
    for (let round = 0; round < 4; round++) {
      const { child, lines, next } = start('write', path)
      const first = await next()
      // Rounds differ in where the kill finds the writer.
      for (let turn = 0; turn < round * 7; turn++) await next()
      child.kill('SIGKILL')
      const told = [first, ...(await rest(lines))].map(String)
      const asked = performance.now()
      const results = await acquireAll(survivor, [...told.map((name) => ask(name)), ask(`after-${round}`)])
      expect(performance.now() - asked).toBeLessThan(2_000)
      expect(results.map(({ granted }) => granted)).toEqual([...told.map(() => false), true])
    }
    expect(await integrity(path)).toEqual({ integrity_check: 'ok' })
  })

  it('are not hung by one that is stuck in a write: refusals are answered, the rest rejects, the event loop stays free', async () => {
    const path = own.newFile()
    const provider = own.provider(path)
    const [held] = await acquireAll(provider, [ask('held')])
    const stuck = start('hang', path)
    expect(await stuck.next()).toBe('inside')
    stuck.child.kill('SIGSTOP')

    let longest = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const wanted = Promise.allSettled(['a', 'b', 'c'].map((name) => provider.acquire([ask(name)])))
    const asked = performance.now()
    expect(await provider.acquire([ask('held')])).toMatchObject([{ granted: false, reason: 'held' }])
    expect(performance.now() - asked).toBeLessThan(1_000)
    expect(await wanted).toMatchObject(
      Array(3).fill({
        status: 'rejected',
        reason: {
          code: 'STORE',
          message: expect.stringMatching(/locks\.sqlite was locked by another transaction.*end it/),
        },
      }),
    )
    clearInterval(watch)
    expect(performance.now() - asked).toBeLessThan(6_000)
    expect(longest).toBeLessThan(500)

    await end(stuck.child)
    expect(await provider.acquire([ask('a')])).toMatchObject([{ granted: true }])
    const owner = held?.granted ? held.lease.owner : ''
    expect(await provider.read(['held'])).toMatchObject([{ lockedBy: expect.stringContaining(owner) }])
  })
})

describe('a file that is deleted while it is in use', () => {
  it('is made anew, so that nobody goes on with a file that others do not see', async () => {
    const path = own.newFile()
    const [before, after] = [own.provider(path), own.provider(path)]
    await before.acquire([ask('old')])
    for (const file of readdirSync(dirname(path))) rmSync(join(dirname(path), file))
    expect(await after.acquire([ask('job')])).toMatchObject([{ granted: true }])
    expect(await before.acquire([ask('job'), ask('old')])).toMatchObject([{ reason: 'held' }, { granted: true }])
    // Nor did closing the old file take the new one's journal along.
    expect(await own.provider(path).acquire([ask('job')])).toMatchObject([{ reason: 'held' }])
    expect(await integrity(path)).toEqual({ integrity_check: 'ok' })
  })
})

describe('a machine without any driver', () => {
  it('hears in one sentence which package to install', async () => {
    const { next } = start('lack-drivers', own.newFile())
    expect(JSON.parse(String(await next()))).toEqual({
      message: expect.stringMatching(/^Node\.js [\d.]+ has no SQLite .*npm install @photostructure\/sqlite/),
      cause: 'Error: @photostructure/sqlite is not there',
    })
  })
})
