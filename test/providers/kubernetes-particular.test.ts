/* What is particular to Kubernetes: its Leases, its tokens, its refusals, and what happens when the API server or a connection fails. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { type KubernetesOptions, kubernetes } from '../../providers/kubernetes/index.ts'
import { objectName } from '../../providers/kubernetes/lease.ts'
import { type AcquireResult, isUnreadable, type LockProvider } from '../../src/provider/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { startServer, type TestServer } from '../servers/index.ts'
import { kubeClient } from '../servers/kube-client.ts'
import { acquire, acquireOf, only, release } from '../unit/provider/versioned/requests.ts'
import { leaseClient, newPrefix, type StoredLease } from './kubernetes-subject.ts'

const server = inject('servers').kubernetes
const url = 'url' in server ? server.url : ''
const here = describe.skipIf(url === '')

const isGrant = (result: unknown): boolean => (result as AcquireResult).granted === true

/** Runs something with a provider that is closed in the end. */
async function using<Result>(
  provider: LockProvider,
  run: (provider: LockProvider) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(provider)
  } finally {
    await provider.close()
  }
}

describe('the options of kubernetes', () => {
  it.each([
    ['kubernetes://Upper', /name of a namespace/],
    ['kubernetes://a/b', /url must be/],
    ['kubernetes:a', /url must be/],
    ['kubeconfig:/f?name=x', /url must be/],
    ['kubeconfig:?namespace=a_b', /name of a namespace/],
    ['https://host', /url must be/],
    [{ prefix: 'Upper' }, /prefix must be/],
    [{ prefix: '-a' }, /prefix must be/],
    [{ prefix: '' }, /prefix must be/],
    [{ namespace: 'a.b' }, /namespace must be/],
    [{ serviceAccount: '' }, /serviceAccount must be a folder/],
    [{ kubeConfig: {} }, /kubeConfig must be a KubeConfig/],
    [{ kubeConfig: new KubeConfig(), url: 'kubernetes:' }, /either url or kubeConfig/],
    [{ token: 'x' }, /unknown option "token"; the options are url, kubeConfig, namespace, prefix, serviceAccount/],
    [{ url: 7 }, /url must be a string/],
    [null, /a URL or options/],
  ])('%j is refused', (input, message) => {
    expect(() => kubernetes(input as string)).toThrow(message)
  })

  it.each([
    undefined,
    'kubernetes:',
    'kubernetes://jobs',
    'kubeconfig:',
    'kubeconfig:/home/me/.kube/config?context=a@b&namespace=jobs',
    'kubeconfig:///etc/kubeconfig',
    'kubeconfig:./50%.yaml',
  ])('%s opens nothing yet', (input) => using(kubernetes(input), async () => {}))

  it('of a kubeconfig that is not there, or has no such context, are named by the first call', async () => {
    await using(kubernetes('kubeconfig:/not/there'), (provider) =>
      expect(acquire(provider, 'a', 'one')).rejects.toThrow(/the kubeconfig \/not\/there can't be read/),
    )
    if (url === '') return
    await using(kubernetes(`${url}?context=other`), (provider) =>
      expect(acquire(provider, 'a', 'one')).rejects.toThrow(/has no context other/),
    )
  })

  it('outside of a pod, the first call says what to use', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined)
    await using(kubernetes(), (provider) =>
      expect(acquire(provider, 'a', 'one')).rejects.toThrow(/runs in no pod .* use the URL kubeconfig:/),
    )
    vi.unstubAllEnvs()
  })
})

here('the Leases of Kubernetes', () => {
  const prefix = newPrefix()
  const client = leaseClient(url, prefix)
  afterAll(() => client.deleteAll())

  it('hold the record exactly, and show people who has the lock', async () => {
    await using(kubernetes({ url, prefix }), async (provider) => {
      const tick = Date.now() - 1_000
      const granted = await acquire(provider, 'nächtlich/1', 'one', { tick, lockAtMostFor: 90_500 })
      const { metadata, spec } = (await client.get('nächtlich/1')) as StoredLease
      expect(metadata.name).toMatch(/^t[\da-f]+-[\da-f]{32}$/)
      expect(metadata.annotations['ticklock/name']).toBe('nächtlich/1')
      expect(JSON.parse(metadata.annotations['ticklock/record'] ?? '')).toMatchObject({
        lastTick: tick,
        tickDone: false,
      })
      const { acquiredAt } = (granted as { lease: { acquiredAt: number } }).lease
      expect(spec).toEqual({
        holderIdentity: 'a-node:1',
        leaseDurationSeconds: 91,
        acquireTime: new Date(acquiredAt).toISOString().replace('Z', '000Z'),
        renewTime: new Date(acquiredAt).toISOString().replace('Z', '000Z'),
      })
      expect(await release(provider, 'nächtlich/1', 'one', { tick })).toBe(true)
    })
  })

  it('of another prefix are left alone, also where one prefix begins like the other', async () => {
    await using(kubernetes({ url, prefix: `${prefix}x-` }), async (longer) => {
      await acquire(longer, 'a', 'one')
      await using(kubernetes({ url, prefix }), async (provider) => {
        expect((await provider.read()).map(({ name }) => name)).not.toContain('a')
        expect(isGrant(await acquire(provider, 'a', 'two'))).toBe(true)
      })
    })
  })

  it('that are no lock of their name are shown as ones that can not be read', async () => {
    const own = newPrefix()
    await using(kubernetes({ url, prefix: own }), async (provider) => {
      await acquire(provider, 'moved', 'one')
      const other = leaseClient(url, own)
      await other.annotate('moved', { 'ticklock/name': 'another' })
      const records = await provider.read()
      expect(records.map(({ name }) => name)).toEqual([objectName(own, 'moved')])
      expect(records.every(isUnreadable)).toBe(true)
      await other.deleteAll()
    })
  })

  it('are read by all pages of a list, and written, many at once', async () => {
    const own = newPrefix()
    await using(kubernetes({ url, prefix: own }), async (provider) => {
      const requests = Array.from({ length: 501 }, (_, index) => acquireOf(`job-${index}`, 'one'))
      const results = await provider.acquire(requests, { timeout: 60_000 })
      expect(results.filter(isGrant).length).toBe(501)
      expect((await provider.read()).length).toBe(501)
      const again = requests.map((request) => ({ ...request, owner: 'two' }))
      expect((await provider.acquire(again, { timeout: 60_000 })).filter(isGrant).length).toBe(0)
      await leaseClient(url, own).deleteAll()
    })
  }, 180_000)

  it('that were deleted are not made again by a write that began before', async () => {
    const { send, leases } = kubeClient(url)
    const name = 'deleted-meanwhile'
    await using(kubernetes({ url, prefix }), async (provider) => {
      await acquire(provider, name, 'one')
      const lease = (await client.get(name)) as StoredLease
      await client.delete(name)
      // As the provider writes it. Without the uid, the PUT would create it.
      const [status, body] = await send('PUT', `${leases}/${objectName(prefix, name)}`, lease)
      expect([status, (body as { reason?: string }).reason]).toEqual([409, 'Conflict'])
      expect(await release(provider, name, 'one')).toBe(false)
      expect(isGrant(await acquire(provider, name, 'two'))).toBe(true)
    })
  })
})

here('the tokens of Kubernetes', () => {
  const folder = dirname(url.slice('kubeconfig:'.length))
  const prefix = newPrefix()
  let account: string
  let port: number

  beforeAll(async () => {
    account = await mkdtemp(join(tmpdir(), 'ticklock-account-'))
    for (const file of ['token', 'ca.crt', 'namespace']) await copyFile(join(folder, file), join(account, file))
    const config = new KubeConfig()
    config.loadFromFile(join(folder, 'kubeconfig'))
    port = Number(new URL(config.getCurrentCluster()?.server ?? '').port)
  })
  afterAll(async () => {
    await leaseClient(url, prefix).deleteAll()
    await rm(account, { recursive: true, force: true })
  })
  afterEach(() => void vi.unstubAllEnvs())

  const inPod = (options: KubernetesOptions = {}): LockProvider => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'localhost')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(port))
    return kubernetes({ serviceAccount: account, prefix, ...options })
  }

  it('of a pod are read again when one is rejected', async () => {
    await using(inPod(), async (provider) => {
      expect(isGrant(await acquire(provider, 'rotated', 'one'))).toBe(true)
      const tokens = await readFile(join(folder, 'tokens'), 'utf8')
      try {
        // Only the new token is valid from now on.
        await writeFile(join(account, 'token'), 'token-after-rotation\n')
        await writeFile(join(folder, 'tokens'), 'token-after-rotation\n')
        expect(await release(provider, 'rotated', 'one')).toBe(true)
        await writeFile(join(account, 'token'), 'token-of-nobody-hush')
        await writeFile(join(folder, 'tokens'), 'another\n')
        await expect(acquire(provider, 'rotated', 'two')).rejects.toThrow(/refused the request: Unauthorized/)
        await expect(acquire(provider, 'rotated', 'two')).rejects.not.toThrow(/hush/)
      } finally {
        await writeFile(join(folder, 'tokens'), tokens)
        await copyFile(join(folder, 'token'), join(account, 'token'))
      }
    })
  })

  it('of a pod come with its namespace, which an option or the URL replaces', async () => {
    const { namespace } = kubeClient(url)
    await using(inPod(), async (provider) => void (await acquire(provider, 'spaced', 'own')))
    await using(inPod({ namespace: 'other' }), async (provider) => {
      expect(isGrant(await acquire(provider, 'spaced', 'other'))).toBe(true)
    })
    await using(inPod({ url: `kubernetes://${namespace}` }), async (provider) => {
      expect(await acquire(provider, 'spaced', 'third')).toMatchObject({ reason: 'held' })
    })
    await using(inPod({ url: 'kubernetes://other' }), async (provider) => {
      expect(await acquire(provider, 'spaced', 'third')).toMatchObject({ reason: 'held' })
      await provider.forceRelease('spaced')
      await provider.prune(0)
    })
  })

  it('that can not be read are named', async () => {
    await using(inPod({ serviceAccount: join(account, 'not-there') }), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(/service account of the pod can't be read from/)
    })
  })

  it('go to no server of another authority', async () => {
    const own = await mkdtemp(join(tmpdir(), 'ticklock-account-'))
    for (const file of ['token', 'namespace']) await copyFile(join(folder, file), join(own, file))
    await writeFile(join(own, 'ca.crt'), '')
    await using(inPod({ serviceAccount: own }), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(/can't be reached: .*certificate/)
    })
    await rm(own, { recursive: true, force: true })
  })

  it('of a kubeconfig of the user work too', async () => {
    const kubeConfig = new KubeConfig()
    kubeConfig.loadFromFile(join(folder, 'kubeconfig'))
    await using(kubernetes({ kubeConfig, prefix }), async (provider) => {
      expect(isGrant(await acquire(provider, 'own-config', 'one'))).toBe(true)
    })
  })
})

here('a busy API server', () => {
  const prefix = newPrefix()
  afterAll(() => leaseClient(url, prefix).deleteAll())

  it('is tried again after Retry-After, also with writes', async () => {
    const { call } = kubeClient(url)
    await using(kubernetes({ url, prefix }), async (provider) => {
      await acquire(provider, 'before', 'one')
      await call('POST', '/test/refuse?count=1&after=1')
      const from = performance.now()
      expect(isGrant(await acquire(provider, 'busy', 'one'))).toBe(true)
      expect(performance.now() - from).toBeGreaterThan(1_000)
    })
  })

  it('is an error when it wants to be left alone for longer than the timeout', async () => {
    const { call } = kubeClient(url)
    await using(kubernetes({ url, prefix }), async (provider) => {
      await acquire(provider, 'alone', 'one')
      await call('POST', '/test/refuse?count=1&after=60')
      await expect(acquire(provider, 'alone', 'two')).rejects.toThrow(/refused the request: Too many requests/)
      expect(await acquire(provider, 'alone', 'two')).toMatchObject({ reason: 'held' })
    })
  })
})

here('an API server that fails', () => {
  let own: TestServer
  let folder: string
  const prefix = newPrefix()
  beforeAll(async () => {
    const started = await startServer('kubernetes')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
    folder = dirname(own.url.slice('kubeconfig:'.length))
  })
  afterAll(() => own?.stop())

  it('is an error while it is killed, and knows its locks and ticks when it is back', async () => {
    const [process, etcd] = own.processes
    await using(kubernetes({ url: own.url, prefix }), async (provider) => {
      const tick = Date.now() - 1_000
      const before = await acquire(provider, 'killed', 'one', { tick })
      await process?.kill()
      await expect(acquire(provider, 'killed', 'two')).rejects.toThrow(/can't be reached/)
      await etcd?.kill()
      await etcd?.start()
      await process?.start()
      const again = await acquire(provider, 'killed', 'one', { tick })
      expect([isGrant(before), isGrant(again)]).toEqual([true, true])
      expect((again as { lease: { fencingToken: number } }).lease.fencingToken).toBe(
        (before as { lease: { fencingToken: number } }).lease.fencingToken,
      )
      expect(await acquire(provider, 'killed', 'two', { tick })).toMatchObject({ reason: 'tick-taken' })
    })
  })

  it('is an error within the timeout while it is stopped', async () => {
    const [process] = own.processes
    await using(kubernetes({ url: own.url, prefix }), async (provider) => {
      await acquire(provider, 'stopped', 'one')
      process?.pause()
      try {
        const late = provider.acquire([acquireOf('stopped', 'two')], { timeout: 500 })
        await expect(late).rejects.toThrow(/did not respond within/)
      } finally {
        process?.resume()
      }
      expect(await acquire(provider, 'stopped', 'two')).toMatchObject({ granted: false, reason: 'held' })
    })
  })

  it('grants once though responses are lost, and the owner gets what was granted', async () => {
    const proxy = await TcpProxy.to(own.processes[0]?.port ?? 0)
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'localhost')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(proxy.port))
    try {
      await using(kubernetes({ serviceAccount: folder, prefix }), async (provider) => {
        await acquire(provider, 'other', 'one')
        proxy.set('open', 'lost')
        const lost = await provider
          .acquire([acquireOf('lost', 'one')], { timeout: 600 })
          .catch((error: Error) => [error] as const)
        expect(only(lost)).toBeInstanceOf(Error)
        proxy.set('open', 'open')
        proxy.cut(false)
        expect(isGrant(await acquire(provider, 'lost', 'one'))).toBe(true)
        expect(await acquire(provider, 'lost', 'two')).toMatchObject({ granted: false, reason: 'held' })
      })
    } finally {
      vi.unstubAllEnvs()
      await proxy.close()
    }
  })

  it('closes what is under way', async () => {
    const provider = kubernetes({ url: own.url, prefix })
    const first = acquire(provider, 'closing', 'one').catch((error: Error) => error)
    await provider.close()
    await provider.close()
    expect(String(await first)).toMatch(/closed/)
    await expect(acquire(provider, 'closing', 'one')).rejects.toThrow(/closed/)
  })
})
