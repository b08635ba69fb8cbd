/* How the tests meet NATS: by the provider, and by a client of their own. */
import { randomUUID } from 'node:crypto'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type NatsOptions, nats } from '../../providers/nats/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { jsonPoisons, storedRecord } from './versioned/versioned-subject.ts'

export const keyOf = (name: string): string => Buffer.from(name).toString('base64url')

/** The tests' own client of a bucket, which connects at its first use. */
export function natsClient(url: string, bucket: string) {
  let connecting: Promise<NatsConnection> | undefined
  const connection = () => (connecting ??= connect({ servers: url.replace('nats://', '') }))
  const kvm = async () => new Kvm(await connection())
  const open = async () => await (await kvm()).open(bucket, { allow_direct: false })
  const streams = async () => (await jetstreamManager(await connection())).streams
  return {
    connection,
    kvm,
    streams,
    stream: `KV_${bucket}`,
    get: async (name: string) => (await (await open()).get(keyOf(name)))?.string() || undefined,
    put: async (name: string, value: string) => await (await open()).put(keyOf(name), value),
    lose: async (name: string) =>
      await (await streams()).purge(`KV_${bucket}`, { filter: `$KV.${bucket}.${keyOf(name)}` }),
    destroy: async () => await (await streams()).delete(`KV_${bucket}`),
    close: async () => await (await connecting)?.close(),
  }
}

/** NATS runs on this machine, and goes by its clock. The suite shifts `Date.now`, and not what it was before. */
const dateNow = Date.now

export function natsSubject(url: string, options: Partial<NatsOptions> = {}): ConformanceSubject {
  const { bucket = `test-${randomUUID()}` } = options
  const client = natsClient(url, bucket)
  const places = new Set<string>()
  return {
    name: 'nats',
    clock: 'store',
    connect: () => nats({ url, ...options, bucket }),
    now: () => dateNow(),
    look: async (name) => storedRecord(await client.get(name)),
    lose: async (name) => void (await client.lose(name)),
    unreachable: () => nats('nats://127.0.0.1:1'),
    unprepared(place) {
      places.add(place)
      return nats({ url, bucket: place })
    },
    async clientSurvivesClose() {
      const connection = await client.connection()
      const provider = nats({ connection, bucket })
      await provider.read(['survives'])
      await provider.close()
      return !connection.isClosed() && (await connection.rtt()) >= 0
    },
    poisons: jsonPoisons(client.get, client.put),
    lockRecord: 'NATS has no transactions that stay open',
    asShedLock: "ShedLock's NATS provider keeps a lock in a bucket with a TTL, which forgets the last tick",
    keepsNoHistory: 'a bucket of NATS keeps locks only',
    async after() {
      for (const place of places) await natsClientGone(url, place)
      await client.destroy().catch(() => {})
      await client.close()
    },
  }
}

async function natsClientGone(url: string, bucket: string): Promise<void> {
  const client = natsClient(url, bucket)
  await client.destroy().catch(() => {})
  await client.close()
}
