import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { Workplace } from '../cli/ticklock.ts'

const folder = fileURLToPath(new URL('../../examples/kubernetes/', import.meta.url))

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

interface Pod {
  readonly serviceAccountName: string
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly {
    readonly env: readonly {
      readonly valueFrom: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
    }[]
    readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
    readonly livenessProbe: { readonly httpGet: object }
    readonly readinessProbe: { readonly httpGet: object }
  }[]
  readonly volumes: readonly { readonly configMap?: { readonly name: string } }[]
}

const manifests = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => parseAllDocuments(readFileSync(folder + file, 'utf8')).map((each) => each.toJS() as Manifest))

const manifest = <Kind>(kind: string): Kind => {
  const found = manifests.filter((each) => each.kind === kind)
  if (found.length !== 1) throw new Error(`${found.length} manifests are a ${kind}`)
  return found[0] as Kind
}

const pod = manifest<{ spec: { template: { spec: Pod } } }>('Deployment').spec.template.spec
const { data } = manifest<{ data: Readonly<Record<string, string>> }>('ConfigMap')
const config = data['ticklock.config.yaml'] ?? ''

describe('the manifests for Kubernetes', () => {
  it('fit the schemas of Kubernetes', async () => {
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'Role',
      'RoleBinding',
      'Secret',
      'ServiceAccount',
    ])
    for (const each of manifests) {
      const models = (await import(`kubernetes-models/${each.apiVersion}`)) as Record<
        string,
        new (
          of: Manifest,
        ) => { validate(): void }
      >
      const Model = models[each.kind]
      expect(Model, each.kind).toBeDefined()
      if (Model) expect(() => new Model(each).validate(), each.kind).not.toThrow()
    }
  })

  it('name one another', () => {
    const account = manifest<Manifest>('ServiceAccount').metadata.name
    const binding = manifest<{ roleRef: { name: string }; subjects: readonly object[] }>('RoleBinding')
    expect(pod.serviceAccountName).toBe(account)
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account }])
    expect(binding.roleRef.name).toBe(manifest<Manifest>('Role').metadata.name)
    expect(pod.volumes.flatMap(({ configMap }) => configMap ?? [])).toEqual([
      { name: manifest<Manifest>('ConfigMap').metadata.name },
    ])
    const secret = manifest<Manifest & { stringData: Readonly<Record<string, string>> }>('Secret')
    const references = pod.containers.flatMap(({ env }) => env.flatMap(({ valueFrom }) => valueFrom.secretKeyRef ?? []))
    expect(references).toEqual([{ name: secret.metadata.name, key: Object.keys(secret.stringData)[0] }])
  })

  it('give runs the time that the config allows them', () => {
    const { stopGraceFor } = parse(config) as { readonly stopGraceFor: string }
    const sleep = Number(pod.containers[0]?.lifecycle.preStop.exec.command[1])
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number.parseInt(stopGraceFor, 10) + sleep)
  })

  it('probe the process for its life and the store for its readiness', () => {
    expect(pod.containers[0]?.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' })
    expect(pod.containers[0]?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' })
  })

  it('have a config that is right', async () => {
    await using place = new Workplace()
    place.config(config)
    const { stdout } = await place.run(['doctor'], { POD_NAME: 'a-pod' })
    expect(stdout).toMatch(/config/)
    expect(stdout.split('\n').filter((line) => /fail/.test(line) && !/Kubernetes at kubernetes:/.test(line))).toEqual(
      [],
    )
  })
})
