import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Workplace } from './ticklock.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const DRIVERS = [
  'pg',
  'mysql2',
  'mongodb',
  'ioredis',
  '@aws-sdk',
  '@photostructure',
  'better-sqlite3',
  '@nats-io',
  'node-zookeeper-client',
]

/** A copy of the package beside which no driver is installed. Returns its command line. */
function withoutDrivers(place: Workplace): string {
  cpSync(join(root, 'dist'), join(place.folder, 'copy', 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(place.folder, 'copy', 'package.json'))
  mkdirSync(join(place.folder, 'copy', 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (DRIVERS.includes(name) || name.startsWith('.')) continue
    symlinkSync(join(root, 'node_modules', name), join(place.folder, 'copy', 'node_modules', name))
  }
  return join(place.folder, 'copy', 'dist', 'src', 'cli', 'bin.js')
}

const stores: [store: string, remedy: string][] = [
  ['postgres://app:hush-hush@127.0.0.1:1/app', 'npm install pg'],
  ['mysql://app:hush-hush@127.0.0.1:1/app', 'npm install mysql2'],
  ['mongodb://app:hush-hush@127.0.0.1:1/app', 'npm install mongodb'],
  ['redis://app:hush-hush@127.0.0.1:1', 'npm install ioredis'],
  ['dynamodb+http://app:hush-hush@127.0.0.1:1?region=local', 'npm install @aws-sdk/client-dynamodb'],
  ['nats://app:hush-hush@127.0.0.1:1', 'npm install @nats-io/kv @nats-io/transport-node'],
  ['zookeeper://app:hush-hush@127.0.0.1:1', 'npm install node-zookeeper-client'],
  // Node.js has one of its own from 22.13 on.
  ...(process.getBuiltinModule('node:sqlite')
    ? []
    : [['sqlite:./locks.sqlite', 'npm install @photostructure/sqlite'] as [string, string]]),
]

describe('a store whose driver is not installed', () => {
  it.each(stores)('%s: run, trigger, exec and setup end with 69 and say what to install', async (store, remedy) => {
    await using place = new Workplace()
    const bin = withoutDrivers(place)
    place.config(`store: ${store}\njobs: [{ name: a, every: 100ms, lockAtMostFor: 1m, shell: echo }]`)
    for (const args of [['run'], ['trigger', 'a'], ['exec', 'a', '--', 'true'], ['setup']]) {
      const ended = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile(process.execPath, [bin, ...args], { cwd: place.folder }, (error, _, stderr) =>
          resolve({ code: error?.code ?? 0, stderr }),
        )
      })
      expect({ args, ...ended }).toEqual({ args, code: 69, stderr: expect.stringContaining(remedy) })
      expect(ended.stderr).not.toContain('hush')
    }
  })
})
