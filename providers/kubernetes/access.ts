/* Where the API server is, and by what it knows this client. Both may change while the process runs: tokens rotate every hour. */
import { readFile } from 'node:fs/promises'
import { Agent, type RequestOptions } from 'node:https'
import { join } from 'node:path'
import { StoreError } from '../../src/errors.ts'
import type { KubeConfig } from './options.ts'
import type { KubernetesAddress } from './url.ts'

export interface Access {
  /** Such as `https://10.0.0.1:443`. */
  readonly server: string
  readonly namespace: string | undefined
  /** What each request needs: the agent, the authority, and a token or a certificate. */
  readonly options: RequestOptions
  /** What is ours to close. */
  readonly agent: { destroy(): void } | undefined
}

/** Looks anew at each call. */
export type FindAccess = () => Promise<Access>

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** By the service account of the pod. @param folder with its files */
export function podAccess(folder = SERVICE_ACCOUNT): FindAccess {
  let known: { readonly ca: string; readonly agent: Agent } | undefined
  return async () => {
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env
    if (!host)
      throw new StoreError(
        'this process runs in no pod of Kubernetes (KUBERNETES_SERVICE_HOST is not set): use the URL kubeconfig: in place of kubernetes:',
      )
    const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
    const [token, ca, namespace] = await Promise.all([
      file('token'),
      file('ca.crt'),
      file('namespace').catch(() => undefined),
    ]).catch((cause: unknown) => {
      throw new StoreError(
        `the service account of the pod can't be read from ${folder}: set automountServiceAccountToken`,
        {
          cause,
        },
      )
    })
    if (known?.ca !== ca) {
      known?.agent.destroy()
      known = { ca, agent: new Agent({ ca, keepAlive: true }) }
    }
    const { agent } = known
    return {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      namespace: namespace?.trim(),
      agent,
      options: { agent, headers: { authorization: `Bearer ${token.trim()}` } },
    }
  }
}

/** By a kubeconfig file. */
export function fileAccess(address: KubernetesAddress): FindAccess {
  let config: KubeConfig | undefined
  return async () => {
    config ??= await loadConfig(address)
    return await configAccess(config)()
  }
}

/** By a `KubeConfig`, which renews its tokens itself. */
export function configAccess(config: KubeConfig): FindAccess {
  return async () => {
    const cluster = config.getCurrentCluster()
    if (!cluster) throw new StoreError('the kubeconfig has no current context, or one without a cluster')
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    // Its agent has no use for a connection after a request, which costs a handshake each. One for a proxy stays.
    const agent = options.agent?.constructor === Agent ? new Agent({ keepAlive: true }) : undefined
    return {
      server: cluster.server.replace(/\/$/, ''),
      namespace: config.getContextObject(config.getCurrentContext())?.namespace,
      options: agent ? { ...options, agent } : options,
      agent,
    }
  }
}

async function loadConfig({ file, context }: KubernetesAddress): Promise<KubeConfig> {
  const { KubeConfig: Config } = await loadPackage()
  const config = new Config()
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
    if (context !== undefined) config.setCurrentContext(context)
  } catch (cause) {
    throw new StoreError(`the kubeconfig ${file ?? 'of this user'} can't be read`, { cause })
  }
  if (context !== undefined && !config.getContextObject(context))
    throw new StoreError(`the kubeconfig ${file ?? 'of this user'} has no context ${context}`)
  return config as KubeConfig
}

async function loadPackage() {
  try {
    return await import('@kubernetes/client-node')
  } catch (cause) {
    throw new StoreError(
      'a kubeconfig needs the package @kubernetes/client-node: run `npm install @kubernetes/client-node`',
      { cause },
    )
  }
}
