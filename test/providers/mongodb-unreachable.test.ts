/* A server that can't be reached when the provider is first used. */
import { describe, expect, inject, it } from 'vitest'
import { mongodb } from '../../providers/mongodb/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'

const server = inject('servers').mongodb

describe.skipIf('unavailable' in server)('mongodb by a URL', () => {
  it('works as soon as a server that could not be reached at first is there', async () => {
    if ('unavailable' in server) return
    const proxied = new URL(server.url)
    const proxy = await TcpProxy.to(Number(proxied.port))
    proxied.port = String(proxy.port)
    proxied.searchParams.set('serverSelectionTimeoutMS', '300')
    const provider = mongodb(proxied.href)

    proxy.set('lost', 'open')
    await expect(provider.read(['nobody'])).rejects.toThrow()
    proxy.set('open', 'open')
    // By a fresh client, which may take more than one try: the time that it is given is short.
    await expect.poll(() => provider.read(['nobody']).catch(String), { timeout: 20_000 }).toEqual([])

    await provider.close()
    await proxy.close()
  })
})
