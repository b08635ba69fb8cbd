import { join } from 'node:path'
import { findOrInstall } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { listens } from './listens.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

/** One etcd, which is a cluster of its own. What it has acknowledged outlives a kill. */
export const etcd: ServerKind = {
  variable: 'TICKLOCK_TEST_ETCD_URL',
  version: etcdVersion,
  async start() {
    const server = await onFreePort((port) => launchEtcd(port))
    return { url: etcdUrl(server.port), processes: [server] }
  },
}

const etcdUrl = (port: number): string => `etcd://127.0.0.1:${port}`

/** Where the JSON gateway of an etcd is, for the tests' own requests. */
export const gatewayOf = (url: string): string => url.replace(/^etcd/, 'http')

async function etcdVersion(url: string): Promise<string> {
  const get = async (path: string) => (await fetch(gatewayOf(url) + path)).json() as Promise<Record<string, string>>
  const { health } = await get('/health')
  if (health !== 'true') throw new Error('etcd has no leader')
  return (await get('/version')).etcdserver ?? 'unknown'
}

/** @param tls where `server.pem` and `server.key` are, for an etcd that speaks TLS only */
export async function launchEtcd(port: number, tls?: string): Promise<ServerProcess> {
  const clients = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  // Free together with the port.
  const peers = `http://127.0.0.1:${port + 10_000}`
  return await ServerProcess.launch({
    name: 'etcd',
    port,
    program: await findOrInstall('etcd-server', 'etcd'),
    args: (folder) => [
      ...['--name', 'test', '--data-dir', `${folder}/data`],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
      ...['--initial-cluster', `test=${peers}`],
      ...(tls === undefined ? [] : ['--cert-file', join(tls, 'server.pem'), '--key-file', join(tls, 'server.key')]),
    ],
    probe: () => (tls === undefined ? etcdVersion(etcdUrl(port)) : listens(port)),
  })
}
