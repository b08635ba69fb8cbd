import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { KubeConfig } from '@kubernetes/client-node'
import { makeCertificates } from './certificates.ts'
import { gatewayOf, launchEtcd } from './etcd.ts'
import { onFreePort } from './free-port.ts'
import { kubeClient } from './kube-client.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

const API_SERVER = fileURLToPath(new URL('./kube-api/server.ts', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const FIRST_TOKEN = 'token-of-the-tests'
export const NAMESPACE = 'locks'

/** A small stand-in for kube-apiserver over an etcd. What it has acknowledged outlives a kill. */
export const kubernetes: ServerKind = {
  variable: 'TICKLOCK_TEST_KUBERNETES_URL',
  version: kubernetesVersion,
  async start() {
    const folder = await mkdtemp(join(tmpdir(), 'ticklock-kubernetes-'))
    const close = (): Promise<void> => rm(folder, { recursive: true, force: true })
    try {
      makeCertificates(folder)
      const etcd = await onFreePort((port) => launchEtcd(port))
      try {
        const server = await onFreePort((port) => launchApiServer(port, etcd.port, folder))
        return { url: `kubeconfig:${join(folder, 'kubeconfig')}`, processes: [server, etcd], close }
      } catch (error) {
        await etcd.stop()
        throw error
      }
    } catch (error) {
      await close()
      throw error
    }
  },
}

async function kubernetesVersion(url: string): Promise<string> {
  const { gitVersion } = await kubeClient(url).call('GET', '/version')
  return String(gitVersion)
}

async function launchApiServer(port: number, etcdPort: number, folder: string): Promise<ServerProcess> {
  await writeCredentials(folder, port)
  return await ServerProcess.launch({
    name: 'kubernetes',
    port,
    program: process.execPath,
    args: () => ['--import', TSX, API_SERVER, String(port), gatewayOf(`etcd://127.0.0.1:${etcdPort}`), folder],
    probe: () => kubernetesVersion(`kubeconfig:${join(folder, 'kubeconfig')}`),
  })
}

/** What a pod has as the files of its service account, a kubeconfig, and the tokens that the server accepts. */
async function writeCredentials(folder: string, port: number): Promise<void> {
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'tests', server: `https://localhost:${port}`, caFile: join(folder, 'ca.pem'), skipTLSVerify: false },
    { name: 'tests', token: FIRST_TOKEN },
  )
  const [context] = config.contexts
  if (context) config.contexts = [{ ...context, namespace: NAMESPACE }]
  await writeFile(join(folder, 'kubeconfig'), config.exportConfig())
  await writeFile(join(folder, 'tokens'), `${FIRST_TOKEN}\n`)
  await writeFile(join(folder, 'token'), FIRST_TOKEN)
  await writeFile(join(folder, 'namespace'), NAMESPACE)
  await copyFile(join(folder, 'ca.pem'), join(folder, 'ca.crt'))
}
