/* Connections that the provider makes from a URL: what their errors say, and what they must not do. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { redisQuorum } from '../../providers/redis/quorum/redis-quorum.ts'
import { redis } from '../../providers/redis/redis.ts'
import { StoreError } from '../../src/errors.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { granted, newHolder, release, toAcquire } from '../../src/testing/requests.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { onFreePort } from '../servers/free-port.ts'
import { launchRedis } from '../servers/redis.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import { until } from '../servers/until.ts'

const server = inject('servers').redis
const cluster = inject('servers')['redis-cluster']

/** Runs a script and closes the provider. */
async function using(url: string, run: (provider: LockProvider) => Promise<void>): Promise<void> {
  const provider = redis({ url, prefix: `test-${randomUUID()}:` })
  try {
    await run(provider)
  } finally {
    await provider.close()
  }
}

const failsWith = (url: string, message: RegExp, cause?: object): Promise<void> =>
  using(url, async (provider) => {
    for (const call of [() => provider.acquire([toAcquire(newHolder('a'))]), () => provider.read()]) {
      const error = await call().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StoreError)
      expect((error as Error).message).toMatch(message)
      expect((error as Error).message).not.toContain('secret')
      if (cause) expect((error as Error).cause).toMatchObject(cause)
    }
  })

const works = (url: string): Promise<void> =>
  using(url, async (provider) => {
    const holder = newHolder(randomUUID())
    await granted(provider, holder)
    expect(await provider.read()).toHaveLength(1)
    expect(await release(provider, holder)).toBe(true)
    await provider.prune(-1)
  })

describe('an error says why Redis can not be reached', () => {
  it('where nobody listens', () =>
    failsWith('redis://127.0.0.1:1', /Redis can't be reached: connect ECONNREFUSED 127\.0\.0\.1:1/, {
      code: 'ECONNREFUSED',
    }))
  it('where nobody listens at either address of a name', () => failsWith('redis://localhost:1', /ECONNREFUSED/))
  it('where there is no such host', () =>
    failsWith('redis://:secret@no-such-host.invalid', /(ENOTFOUND|EAI_AGAIN) no-such-host\.invalid/))
  it('where there is no such socket', () =>
    failsWith('redis+unix:///no/such/redis.sock', /ENOENT .*\/no\/such\/redis\.sock/))
  it('where every Sentinel is gone', () =>
    failsWith('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main', /ECONNREFUSED 127\.0\.0\.1:1/))
  it('where every node of a cluster is gone', () =>
    failsWith('redis+cluster://127.0.0.1:1', /ECONNREFUSED 127\.0\.0\.1:1/))
  it('where the file of the authority is missing', () =>
    failsWith('rediss://127.0.0.1:1?ca=/no/such/ca.pem', /'ca' of the Redis URL.*ENOENT/, { code: 'ENOENT' }))

  it('where a quorum has none, for each server', async () => {
    const provider = redisQuorum(['redis://127.0.0.1:1', 'redis://127.0.0.1:2', 'redis://127.0.0.1:3'])
    const error = await provider.acquire([toAcquire(newHolder('a'))]).catch((reason: Error) => reason)
    expect(error).toBeInstanceOf(StoreError)
    await provider.close()
  })

  it('where the connection is lost while a command is under way', async () => {
    const sockets: { destroy(): void }[] = []
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await using(`redis://127.0.0.1:${port}`, async (provider) => {
      const call = provider.acquire([toAcquire(newHolder('a'))])
      await once(silent, 'connection')
      silent.close()
      for (const socket of sockets) socket.destroy()
      await expect(call).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
    })
  })
})

describe.skipIf('unavailable' in server)('a connection that can not be set up', () => {
  if ('unavailable' in server) return
  const { host } = new URL(server.url)
  const admin = new Redis(server.url)
  const user = `user-${randomUUID()}`
  afterAll(async () => {
    await admin.call('ACL', 'DELUSER', user)
    admin.disconnect()
  })

  it('is an error of the call, and no lock in database 0: a database that is not there', async () => {
    const prefix = `test-${randomUUID()}:`
    for (const url of [`redis://${host}/99`, `redis://${host}?db=99`]) {
      const provider = redis({ url, prefix })
      for (let call = 0; call < 3; call++)
        await expect(provider.acquire([toAcquire(newHolder('a'))])).rejects.toThrow(
          /could not select the database of the Redis URL: .*DB index is out of range/,
        )
      await provider.close()
    }
    expect(await admin.keys(`*${prefix}*`)).toEqual([])
    await works(`redis://${host}/1`)
  })

  it('is an error of the call: a wrong password, and a user who may not select', async () => {
    await admin.call('ACL', 'SETUSER', user, 'on', '>word', '~*', '+@all', '-select')
    await failsWith(`redis://${user}:secret@${host}`, /WRONGPASS/)
    await failsWith(`redis://${user}:word@${host}/1`, /could not select the database.*NOPERM/)
    await works(`redis://${user}:word@${host}`)
  })

  it('is tried again when the server allows it', async () => {
    await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>other', '~*', '+@all')
    await using(`redis://${user}:word@${host}`, async (provider) => {
      await expect(provider.acquire([toAcquire(newHolder('a'))])).rejects.toThrow('WRONGPASS')
      await admin.call('ACL', 'SETUSER', user, '>word')
      await granted(provider, newHolder('a'))
    })
  })
})

describe.skipIf('unavailable' in server)('a server with a certificate and a socket', () => {
  let folder: string
  let port: number
  let started: ServerProcess
  let ca: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-tls-'))
    ca = join(folder, 'ca.pem')
    makeCertificates(folder)
    port = await onFreePort(async (free) => free)
    started = await onFreePort((plain) =>
      launchRedis(
        'redis-tls',
        plain,
        ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', ca],
        ...['--tls-cert-file', join(folder, 'server.pem'), '--tls-key-file', join(folder, 'server.key')],
        ...['--unixsocket', join(folder, 'redis.sock')],
      ),
    )
  })
  afterAll(async () => {
    await started?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is trusted by the file of its authority, or without a look at it', async () => {
    await works(`rediss://localhost:${port}?ca=${encodeURIComponent(ca)}`)
    await works(`rediss://localhost:${port}/3?verify=none`)
    await works(`rediss://127.0.0.1:${port}?verify=none`)
  })

  it('is not trusted otherwise, and the error says why', async () => {
    await failsWith(`rediss://:secret@localhost:${port}`, /self-signed certificate|unable to verify/)
    await failsWith(`rediss://127.0.0.1:${port}?ca=${encodeURIComponent(ca)}`, /does not match certificate|altnames/)
  })

  it('is reached through its socket', async () => {
    await works(`redis+unix://${join(folder, 'redis.sock')}`)
    await works(`redis+unix://${join(folder, 'redis.sock')}?db=2`)
    await failsWith(`redis+unix://${join(folder, 'redis.sock')}?db=99`, /could not select the database/)
  })
})

describe.skipIf('unavailable' in cluster)('a cluster', () => {
  it('with certificates for names is asked by its names', async () => {
    if ('unavailable' in cluster) return
    const folder = await mkdtemp(join(tmpdir(), 'redis-tls-cluster-'))
    makeCertificates(folder)
    const files = (name: string) => join(folder, name)
    const port = await onFreePort(async (free) => free)
    const node = await onFreePort((plain) =>
      launchRedis(
        'redis-tls-cluster',
        plain,
        ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-cluster', 'yes'],
        ...['--tls-ca-cert-file', files('ca.pem'), '--tls-cert-file', files('server.pem')],
        ...['--tls-key-file', files('server.key'), '--cluster-enabled', 'yes', '--cluster-config-file', files('nodes')],
        ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
      ),
    )
    try {
      const admin = new Redis(node.port)
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      await until('the cluster is up', async () => (await admin.cluster('INFO')).includes('cluster_state:ok'))
      admin.disconnect()
      const url = `rediss+cluster://localhost:${port}`
      await failsWith(url, /self-signed certificate|unable to verify/)
      await works(`${url}?verify=none`)
      await works(`${url}?ca=${encodeURIComponent(files('ca.pem'))}`)
    } finally {
      await node.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
