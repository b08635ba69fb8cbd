/* One failover of real servers under load, for each of two stores that must lose nothing by it; `npm run chaos:failover` has the others. */
import { describe, expect, inject, it } from 'vitest'
import { runFailover } from '../chaos/failover/run-failover.ts'
import { postgresScenarios } from '../chaos/failover/topologies/postgres.ts'
import { redisScenarios } from '../chaos/failover/topologies/redis.ts'

const servers = inject('servers')
const cases = [
  { name: 'postgres-sync', title: 'PostgreSQL, whose synchronous standby takes over', needs: 'postgres' },
  { name: 'quorum', title: 'five Redis, of which two are killed', needs: 'redis-quorum' },
] as const

describe('a failover', () => {
  for (const { name, title, needs } of cases) {
    const server = servers[needs]
    // A server that was only given can't be killed: a pair of our own is started where its program is.
    it.skipIf('unavailable' in server)(`of ${title}, loses no grant, runs no tick twice, and ticks go on`, async () => {
      const scenario = [...postgresScenarios, ...redisScenarios].find((one) => one.name === name)
      expect(scenario).toBeDefined()
      if (!scenario) return
      const report = await runFailover(scenario, { before: 1_000, until: 2_000, after: 2_000 })
      expect(report.broken).toEqual([])
      expect(report.forgotten).toBe(0)
      expect(report.runsAfter).toBeGreaterThan(0)
    })
  }
})
