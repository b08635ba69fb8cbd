import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'

/** The part of `KubeConfig` of `@kubernetes/client-node` 1 and 2 that the provider uses. */
export interface KubeConfig {
  getCurrentContext(): string
  getContextObject(name: string): { readonly namespace?: string } | null
  getCurrentCluster(): { readonly server: string } | null
  applyToHTTPSOptions(options: object): Promise<void>
}

export interface KubernetesOptions {
  /**
   * `kubernetes:` in a pod, `kubernetes://NAMESPACE` with another namespace than the pod's; or `kubeconfig:`, `kubeconfig:/path/to/file`,
   * `kubeconfig:…?context=NAME&namespace=NAME` elsewhere, which needs the package `@kubernetes/client-node`. @default 'kubernetes:'
   */
  readonly url?: string | undefined
  /** Your own `KubeConfig` of `@kubernetes/client-node`. In place of `url`. */
  readonly kubeConfig?: KubeConfig | undefined
  /** The namespace of the Leases. @default that of the URL, of the pod, or of the kubeconfig's context */
  readonly namespace?: string | undefined
  /** What the name of every Lease begins with: 1 to 100 lower-case letters, digits and `-`, a letter or digit first. @default 'ticklock-' */
  readonly prefix?: string | undefined
  /** The folder with the files `token`, `ca.crt` and `namespace`. @default '/var/run/secrets/kubernetes.io/serviceaccount' */
  readonly serviceAccount?: string | undefined
}

const OPTIONS = ['url', 'kubeConfig', 'namespace', 'prefix', 'serviceAccount']
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const PREFIX = /^[a-z0-9][-a-z0-9]{0,99}$/

/** @throws {InvalidOptionError} for an unknown or wrong option. */
export function checked(input: string | KubernetesOptions): KubernetesOptions {
  const options = typeof input === 'string' ? { url: input } : input
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError(`kubernetes takes a URL or options, but got ${show(input)}`)
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    throw new InvalidOptionError(`kubernetes: unknown option ${show(unknown)}; the options are ${OPTIONS.join(', ')}`)
  const { url, kubeConfig, namespace, prefix, serviceAccount } = options
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`kubernetes: url must be a string, but is ${show(url)}`)
  if (url !== undefined && kubeConfig !== undefined)
    throw new InvalidOptionError('kubernetes: give either url or kubeConfig')
  if (kubeConfig !== undefined && typeof kubeConfig?.applyToHTTPSOptions !== 'function')
    throw new InvalidOptionError(`kubernetes: kubeConfig must be a KubeConfig, but is ${show(kubeConfig)}`)
  if (namespace !== undefined && !isNamespace(namespace))
    throw new InvalidOptionError(`kubernetes: namespace must be the name of a namespace, but is ${show(namespace)}`)
  if (prefix !== undefined && !(typeof prefix === 'string' && PREFIX.test(prefix)))
    throw new InvalidOptionError(
      `kubernetes: prefix must be 1 to 100 lower-case letters, digits and -, a letter or digit first, but is ${show(prefix)}`,
    )
  if (serviceAccount !== undefined && (typeof serviceAccount !== 'string' || serviceAccount === ''))
    throw new InvalidOptionError(`kubernetes: serviceAccount must be a folder, but is ${show(serviceAccount)}`)
  return options
}

export const isNamespace = (value: unknown): boolean => typeof value === 'string' && NAMESPACE.test(value)
