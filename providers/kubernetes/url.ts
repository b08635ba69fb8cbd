import { InvalidOptionError } from '../../src/errors.ts'
import { isNamespace } from './options.ts'

/** What a URL says about where the API server is. */
export interface KubernetesAddress {
  /** Whether it is found by a kubeconfig, and not by the pod's service account. */
  readonly kubeconfig: boolean
  /** Of the kubeconfig. Undefined: where kubectl looks for it. */
  readonly file: string | undefined
  readonly context: string | undefined
  readonly namespace: string | undefined
}

const IN_POD = /^kubernetes:(?:\/\/([^/?#]*)\/?)?$/
const KUBECONFIG = /^kubeconfig:([^?#]*)(?:\?([^#]*))?$/
const PARAMETERS = ['context', 'namespace']

/**
 * Reads `kubernetes:`, `kubernetes://NAMESPACE`, or `kubeconfig:[/path/to/file][?context=NAME&namespace=NAME]`.
 *
 * @throws {InvalidOptionError} for any other.
 */
export function parseKubernetesUrl(url: string): KubernetesAddress {
  const pod = IN_POD.exec(url)
  if (pod) return { kubeconfig: false, file: undefined, context: undefined, namespace: checkedNamespace(pod[1]) }
  const [found, path = '', query = ''] = KUBECONFIG.exec(url) ?? []
  const parameters = new URLSearchParams(query)
  if (found === undefined || [...parameters.keys()].some((key) => !PARAMETERS.includes(key)))
    throw new InvalidOptionError(
      "url must be 'kubernetes:' or 'kubernetes://NAMESPACE' in a pod, or 'kubeconfig:[/path/to/file][?context=NAME&namespace=NAME]'",
    )
  return {
    kubeconfig: true,
    file: decoded(path.replace(/^\/\/(?=\/)/, '')) || undefined,
    context: parameters.get('context') ?? undefined,
    namespace: checkedNamespace(parameters.get('namespace') ?? undefined),
  }
}

function checkedNamespace(namespace: string | undefined): string | undefined {
  if (namespace === undefined || namespace === '') return undefined
  if (!isNamespace(namespace))
    throw new InvalidOptionError('url must have the name of a namespace, as in kubernetes://jobs')
  return namespace
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path // a stray %
  }
}
