import type { LockProvider } from '../../src/provider/contract.ts'
import { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import { DATE_RESOLUTION, DateClock } from '../../src/provider/versioned/date-clock.ts'
import { versionedProvider } from '../../src/provider/versioned/provider.ts'
import { configAccess, fileAccess, podAccess } from './access.ts'
import { Api } from './client.ts'
import { checked, type KubernetesOptions } from './options.ts'
import { KubernetesStore, TIMEOUT } from './store.ts'
import { parseKubernetesUrl } from './url.ts'

const DEFAULT_PREFIX = 'ticklock-'

/**
 * Keeps locks in the Leases of a Kubernetes cluster, for tens of jobs. Takes a URL or options; in a pod it needs neither, nor a driver. The clock that decides is
 * that of the API server, see docs/providers/kubernetes.md.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function kubernetes(input: string | KubernetesOptions = {}): LockProvider {
  const { prefix = DEFAULT_PREFIX, ...options } = checked(input)
  const estimate = new ClockEstimate(DATE_RESOLUTION)
  const api = openApi(options, estimate)
  const clock = new DateClock(estimate, () => api.sampleClock(TIMEOUT))
  return versionedProvider(new KubernetesStore(api, clock, prefix))
}

/** Opens nothing yet. */
export function openApi(options: KubernetesOptions, estimate: ClockEstimate): Api {
  const { url = 'kubernetes:', kubeConfig, namespace, serviceAccount } = options
  if (kubeConfig) return new Api(configAccess(kubeConfig), namespace, estimate)
  const address = parseKubernetesUrl(url)
  const find = address.kubeconfig ? fileAccess(address) : podAccess(serviceAccount)
  return new Api(find, namespace ?? address.namespace, estimate)
}
