/* How the tests meet Kubernetes: by the provider, and by requests of their own. */
import { randomUUID } from 'node:crypto'
import { kubernetes } from '../../providers/kubernetes/index.ts'
import { openApi } from '../../providers/kubernetes/kubernetes.ts'
import { objectName } from '../../providers/kubernetes/lease.ts'
import { KubernetesStore } from '../../providers/kubernetes/store.ts'
import { ClockEstimate, DateClock, type TimeBounds, versionedProvider } from '../../src/provider/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { kubeClient } from '../servers/kube-client.ts'
import { jsonPoisons, storedRecord } from './versioned/versioned-subject.ts'

export interface StoredLease {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations: Readonly<Record<string, string>>
  }
  readonly spec: Readonly<Record<string, unknown>>
}

export const newPrefix = (): string => `t${randomUUID().slice(0, 8)}-`

/** The tests' own client of the Leases of one prefix. */
export function leaseClient(url: string, prefix: string) {
  const { send, call, leases } = kubeClient(url)
  const pathOf = (name: string): string => `${leases}/${objectName(prefix, name)}`
  const get = async (name: string): Promise<StoredLease | undefined> => {
    const [status, lease] = await send('GET', pathOf(name))
    return status === 404 ? undefined : (lease as unknown as StoredLease)
  }
  return {
    get,
    /** Changes the annotations, as somebody with kubectl may do; undefined takes one away. */
    async annotate(name: string, changes: Readonly<Record<string, string | undefined>>): Promise<void> {
      const lease = await get(name)
      if (!lease) {
        const metadata = { name: objectName(prefix, name), labels: { 'app.kubernetes.io/managed-by': 'ticklock' } }
        const annotations = { 'ticklock/name': name, ...changes }
        const made = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...metadata, annotations } }
        return void (await call('POST', leases, made))
      }
      const annotations = { ...lease.metadata.annotations, ...changes }
      await call('PUT', pathOf(name), { ...lease, metadata: { ...lease.metadata, annotations } })
    },
    delete: (name: string) => send('DELETE', pathOf(name)),
    async deleteAll(): Promise<void> {
      const { items } = (await call('GET', leases)) as unknown as { items: readonly StoredLease[] }
      for (const { metadata } of items)
        if (metadata.name.startsWith(prefix)) await send('DELETE', `${leases}/${metadata.name}`)
    },
  }
}

/** The API server runs on this machine, and goes by its clock. The suite shifts `Date.now`, and not what it was before. */
const dateNow = Date.now

/** A `Date` of whole seconds is known to about two round trips, which may take some time on a busy machine. */
const CLOCK_ERROR = 60

/** With the clock of this machine, which is the server's, read exactly. */
class ExactStore extends KubernetesStore {
  override async now(): Promise<TimeBounds> {
    return { earliest: dateNow(), latest: dateNow() }
  }
}

/** For what compares times exactly, such as a model: all but the estimate of the clock is as ever. */
export function exactKubernetesSubject(url: string): ConformanceSubject {
  const prefix = newPrefix()
  return {
    ...kubernetesSubject(url, prefix),
    connect() {
      const estimate = new ClockEstimate(1_000)
      const api = openApi({ url }, estimate)
      return versionedProvider(new ExactStore(api, new DateClock(estimate, () => api.sampleClock(1_000)), prefix))
    },
  }
}

export function kubernetesSubject(url: string, prefix = newPrefix()): ConformanceSubject {
  const client = url === '' ? undefined : leaseClient(url, prefix)
  const record = async (name: string) => (await client?.get(name))?.metadata.annotations['ticklock/record']
  return {
    name: 'kubernetes',
    clock: 'store',
    clockError: CLOCK_ERROR,
    connect: () => kubernetes({ url, prefix }),
    now: () => dateNow(),
    look: async (name) => storedRecord(await record(name)),
    lose: async (name) => void (await client?.delete(name)),
    unreachable: () =>
      kubernetes({
        kubeConfig: {
          getCurrentContext: () => '',
          getContextObject: () => null,
          getCurrentCluster: () => ({ server: 'https://127.0.0.1:1' }),
          applyToHTTPSOptions: async () => {},
        },
      }),
    unprepared: (place) =>
      kubernetes({ url, prefix: `${prefix}${place.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}-` }),
    clientSurvivesClose: 'there is no client: a KubeConfig has no connections of its own',
    poisons: {
      ...jsonPoisons(record, (name, value) => client?.annotate(name, { 'ticklock/record': value })),
      'a Lease without the record': (name) => client?.annotate(name, { 'ticklock/record': undefined }),
    },
    lockRecord: 'Kubernetes has no transactions',
    asShedLock: 'ShedLock has no provider for Kubernetes',
    keepsNoHistory: 'the control plane of a cluster is no place for history',
    after: async () => void (await client?.deleteAll()),
  }
}
