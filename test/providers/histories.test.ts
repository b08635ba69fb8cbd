/*
 * The models of the simulation and the real providers must agree: a random history of operations is done on both, and after each of
 * them all answers and records are compared.
 *
 * TICKLOCK_HISTORY_OPERATIONS=100000 makes it longer; TICKLOCK_HISTORY_SEED=… begins where a failure said.
 */
import { describe, expect, inject, it } from 'vitest'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import type { StoreKind } from '../simulation/stores/index.ts'
import { checkHistories } from './histories/check-histories.ts'
import { EXPECTED } from './histories/tally.ts'
import { memorySubject } from './memory-subject.ts'
import { mongodbSubject } from './mongodb-subject.ts'
import { mysqlSubject } from './mysql-harness.ts'
import { pgliteSubject } from './pglite-subject.ts'
import { postgresSubject } from './postgres-subject.ts'
import { redisSubject } from './redis-subject.ts'
import { sqliteSubject } from './sqlite-subject.ts'

/** How many operations each provider does at least. */
const OPERATIONS = Number(process.env.TICKLOCK_HISTORY_OPERATIONS ?? 10_000)
const SEED = Number(process.env.TICKLOCK_HISTORY_SEED ?? Math.floor(Math.random() * 2 ** 31))

const servers = inject('servers')
type Made = [kind: StoreKind, subject: (url: string) => ConformanceSubject]

const ON_SERVERS: Readonly<Record<keyof typeof servers, Made>> = {
  postgres: ['postgres', (url) => postgresSubject('postgres', url, 'ticklock_histories')],
  mysql: ['mysql', (url) => mysqlSubject('mysql', url)],
  mariadb: ['mysql', (url) => mysqlSubject('mariadb', url)],
  mongodb: ['mongodb', (url) => mongodbSubject(url)],
  redis: ['redis', (url) => redisSubject('redis', url, url)],
  'redis-sentinel': ['redis', (url) => redisSubject('redis-sentinel', url, url)],
  'redis-cluster': ['redis', (url) => redisSubject('redis-cluster', url, url)],
}
const IN_PROCESS: Readonly<Record<string, Made>> = {
  pglite: ['postgres', pgliteSubject],
  sqlite: ['sqlite', sqliteSubject],
  memory: ['memory', memorySubject],
}

/** Only a store that hangs takes so long: a call takes some ms, and one in twenty waits for a lease. */
const TIMEOUT = 120_000 + OPERATIONS * 60

describe.concurrent('a random history is the same on the model and', () => {
  const there = Object.entries(ON_SERVERS).map(([name, [kind, subject]]) => {
    const server = servers[name as keyof typeof servers]
    const why = 'unavailable' in server ? server.unavailable : undefined
    return { name, kind, why, subject: () => subject('url' in server ? server.url : '') }
  })
  const here = Object.entries(IN_PROCESS).map(([name, [kind, subject]]) => {
    return { name, kind, why: undefined, subject: () => subject('') }
  })
  for (const { name, kind, why, subject } of [...there, ...here]) {
    it.skipIf(why !== undefined)(
      `on ${name}`,
      async () => {
        // PGlite is PostgreSQL once more, and slow: it runs in this process.
        const operations = name === 'pglite' ? OPERATIONS / 4 : OPERATIONS
        const tally = await checkHistories(subject(), { kind, operations, seed: SEED })
        console.log(`${name}: ${tally.operations} operations in ${tally.calls} calls, all as its model has it`)
        for (const outcome of EXPECTED) expect(tally.outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0)
      },
      TIMEOUT,
    )
  }
})
