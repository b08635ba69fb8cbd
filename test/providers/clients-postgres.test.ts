import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { type ConformanceSubject, conformance } from '../../src/testing/index.ts'
import { drizzleOverPglite, type OpenedClient, postgresClients } from './clients-postgres.ts'
import { runnerFor } from './clients-runner.ts'
import { postgresSubject } from './postgres-subject.ts'

const server = inject('servers').postgres

/** The suite of the provider itself, but through this client. */
function subjectOver(name: string, url: string, table: string, opened: () => OpenedClient): ConformanceSubject {
  const connect = (place: string): LockProvider => postgres({ ...opened().place, table: place })
  const subject = postgresSubject(name, url, table)
  return {
    ...subject,
    connect: () => connect(table),
    unprepared: (place) => {
      void (subject.unprepared as (place: string) => unknown)(place) // It is to be dropped in the end.
      return connect(place)
    },
    async clientSurvivesClose() {
      await connect(table).close()
      await opened().run('SELECT 1')
      return true
    },
  }
}

describe.skipIf('unavailable' in server)('postgres() over a client of', () => {
  if ('unavailable' in server) return
  for (const [index, [library, open]] of Object.entries(postgresClients).entries()) {
    describe(library, () => {
      let opened: OpenedClient
      beforeAll(async () => {
        opened = await open(server.url)
      })
      const table = `ticklock_client_${index}`
      conformance(
        runnerFor(index),
        subjectOver(library, server.url, table, () => opened),
      )
      afterAll(() => opened.close())
    })
  }
})

describe('postgres() over a client of Drizzle over PGlite', () => {
  it('takes, refuses, and gives back', async () => {
    const { place, close } = await drizzleOverPglite()
    const provider = postgres(place)
    await provider.setup()
    const request = { name: 'a', owner: 'o', label: 'l', lockAtMostFor: 60_000, maxClockSkew: 60_000 }
    expect(await provider.acquire([request])).toMatchObject([{ granted: true }])
    expect(await provider.acquire([{ ...request, owner: 'p' }])).toMatchObject([{ granted: false, reason: 'held' }])
    expect(await provider.release([{ ...request, lockAtLeastFor: 0 }])).toEqual([true])
    await close()
  })
})
