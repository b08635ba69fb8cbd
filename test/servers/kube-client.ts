/* The tests' own client of a Kubernetes API server. */
import { Agent, type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { KubeConfig } from '@kubernetes/client-node'

type Json = Record<string, never>

/** @param url `kubeconfig:/path` */
export function kubeClient(url: string) {
  const config = new KubeConfig()
  const agent = new Agent({ keepAlive: true })
  config.loadFromFile(url.slice('kubeconfig:'.length))
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
  const send = async (method: string, path: string, body?: object): Promise<readonly [status: number, body: Json]> => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    const server = config.getCurrentCluster()?.server
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(server + path, { ...options, agent, method, signal: AbortSignal.timeout(10_000) })
        .once('response', resolve)
        .once('error', reject)
        .end(body && JSON.stringify(body))
    })
    return [response.statusCode ?? 0, JSON.parse(await text(response)) as Json]
  }
  return {
    namespace,
    leases: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
    /** Whatever the response is. */
    send,
    /** Throws unless it succeeds. */
    async call(method: string, path: string, body?: object): Promise<Json> {
      const [status, replied] = await send(method, path, body)
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${replied.message}`)
      return replied
    },
  }
}
