import { GlideClient, GlideClusterClient } from '@valkey/valkey-glide'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { type RedisOptions, redis } from '../../providers/redis/index.ts'
import { fromGlide, fromNodeRedis } from '../../src/clients/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { runnerFor } from './clients-runner.ts'
import { redisSubject } from './redis-subject.ts'

interface Opened {
  readonly place: Pick<RedisOptions, 'client'>
  ask(): Promise<unknown>
  close(): unknown
}

const addressesOf = (url: string): { host: string; port: number }[] =>
  url
    .replace(/^redis(\+cluster)?:\/\//, '')
    .split(',')
    .map((address) => address.split(':'))
    .map(([host = '', port = '']) => ({ host, port: Number.parseInt(port, 10) }))

const single: Readonly<Record<string, (url: string) => Promise<Opened>>> = {
  'node-redis': async (url) => {
    const client = await createClient({ url, disableOfflineQueue: true }).connect()
    return { place: fromNodeRedis(client), ask: () => client.ping(), close: () => client.close() }
  },
  'node-redis that speaks RESP2': async (url) => {
    const client = await createClient({ url, RESP: 2 }).connect()
    return { place: fromNodeRedis(client), ask: () => client.ping(), close: () => client.close() }
  },
  GLIDE: async (url) => {
    const client = await GlideClient.createClient({ addresses: addressesOf(url) })
    return { place: fromGlide(client), ask: () => client.ping(), close: () => client.close() }
  },
}

const cluster: Readonly<Record<string, (url: string) => Promise<Opened>>> = {
  'node-redis, a cluster': async (url) => {
    const rootNodes = addressesOf(url).map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
    const client = await createCluster({ rootNodes }).connect()
    return {
      place: fromNodeRedis(client),
      ask: () => client.sendCommand(undefined, true, ['PING']),
      close: () => client.close(),
    }
  },
  'GLIDE, a cluster': async (url) => {
    const client = await GlideClusterClient.createClient({ addresses: addressesOf(url) })
    return { place: fromGlide(client), ask: () => client.ping(), close: () => client.close() }
  },
}

for (const [kind, clients] of [
  ['redis', single],
  ['redis-cluster', cluster],
] as const) {
  const server = inject('servers')[kind]
  describe.skipIf('unavailable' in server)('redis() over a client of', () => {
    if ('unavailable' in server) return
    for (const [index, [library, open]] of Object.entries(clients).entries()) {
      describe(library, () => {
        let opened: Opened
        beforeAll(async () => {
          opened = await open(server.url)
        })
        const prefix = `test-client-${library.replaceAll(/\W+/g, '-')}-${process.pid}:`
        const unreachable = kind === 'redis' ? 'redis://127.0.0.1:1' : 'redis+cluster://127.0.0.1:1'
        const subject = {
          ...redisSubject(library, server.url, unreachable, prefix),
          connect: () => redis({ ...opened.place, prefix }),
          async clientSurvivesClose() {
            await redis({ ...opened.place, prefix }).close()
            await opened.ask()
            return true
          },
        }
        conformance(runnerFor(index), subject)
        afterAll(() => opened.close())
      })
    }
  })
}
