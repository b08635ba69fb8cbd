import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { storeEnvironment } from '../docs/store-environment.ts'

const folder = fileURLToPath(new URL('../../examples/', import.meta.url))
const quickstarts = readdirSync(folder).filter((file) => file.startsWith('quickstart-'))
const servers = inject('servers')
const { environment, missing } = storeEnvironment(servers)

describe('the quick starts', () => {
  it('are there for each provider', () => {
    const stores = [
      'dynamodb',
      'etcd',
      'http',
      'memory',
      'mongodb',
      'mysql',
      'nats',
      'postgres',
      'redis',
      'redis-quorum',
      'sqlite',
      'zookeeper',
    ]
    expect(quickstarts.sort()).toEqual(stores.map((store) => `quickstart-${store}.ts`).sort())
  })

  for (const file of quickstarts) {
    const needs = file.slice('quickstart-'.length, -'.ts'.length)
    it.skipIf(missing.includes(needs))(`${file} runs to its end and prints its ticks`, async () => {
      const program = ['--import', 'tsx', folder + file]
      const { stdout, stderr } = await promisify(execFile)(process.execPath, program, {
        env: environment,
        timeout: 60_000,
      })
      // On a busy machine a store may answer too late, and that is logged.
      const late = /^ticklock: (store failed|tick missed) \{[\s\S]*?^\}\n/gm
      expect(stderr.replace(/.*(ExperimentalWarning|trace-warnings).*\n/g, '').replace(late, '')).toBe('')
      expect(stdout.split('\n').filter((line) => /\d\d:\d\d:\d\d/.test(line)).length).toBeGreaterThanOrEqual(2)
    })
  }
})
