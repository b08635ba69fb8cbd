/* kubectl, a client that nobody here wrote, works with the stand-in of the API server, and with the Leases of the provider. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { kubernetes } from '../../providers/kubernetes/index.ts'
import { findKubectl } from '../servers/kubectl.ts'
import { acquire } from '../unit/provider/versioned/requests.ts'
import { leaseClient, newPrefix } from './kubernetes-subject.ts'

const server = inject('servers').kubernetes
const url = 'url' in server ? server.url : ''
const kubectl = await findKubectl().catch((error: Error) => {
  console.error(`!!! kubectl is NOT TESTED: ${error.message}`)
  return undefined
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe.skipIf(url === '' || kubectl === undefined)('kubectl', () => {
  let home: string
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'ticklock-kubectl-'))
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  const run = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const options = { env: { ...process.env, HOME: home, KUBECONFIG: url.slice('kubeconfig:'.length) } }
      execFile(kubectl ?? '', args, options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  const write = async (lease: object): Promise<string> => {
    const file = join(home, 'lease.json')
    await writeFile(file, JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }))
    return file
  }

  it('creates, replaces and deletes a Lease, and is told what it may not do', async () => {
    const metadata = { name: `by-kubectl-${process.pid}` }
    const file = await write({ metadata, spec: { holderIdentity: 'me', leaseDurationSeconds: 5 } })
    expect(await run('create', '--validate=false', '-f', file)).toMatchObject({ code: 0 })
    expect((await run('create', '--validate=false', '-f', file)).stderr).toMatch(/\(AlreadyExists\)/)
    expect(await run('replace', '--validate=false', '-f', file)).toMatchObject({ code: 0 })
    const stale = await write({ metadata: { ...metadata, resourceVersion: '1' }, spec: {} })
    expect((await run('replace', '--validate=false', '-f', stale)).stderr).toMatch(/\(Conflict\).*has been modified/)
    const wrong = await write({ metadata, spec: { leaseDurationSeconds: 0 } })
    expect((await run('replace', '--validate=false', '-f', wrong)).stderr).toMatch(/must be greater than 0/)
    expect(await run('delete', 'lease', metadata.name, '--wait=false')).toMatchObject({ code: 0 })
    expect((await run('get', 'lease', metadata.name)).stderr).toMatch(/\(NotFound\)/)
  })

  it('shows jobs and holders by the command of the docs', async () => {
    const docs = readFileSync(fileURLToPath(new URL('../../docs/providers/kubernetes.md', import.meta.url)), 'utf8')
    const [, columns = ''] = /-o custom-columns='([^']+)'/.exec(docs) ?? []
    const prefix = newPrefix()
    const provider = kubernetes({ url, prefix })
    await acquire(provider, 'nightly-report', 'one')
    await provider.close()
    const { code, stdout } = await run(
      ...['get', 'leases', '-l', 'app.kubernetes.io/managed-by=ticklock', '-o', `custom-columns=${columns}`],
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^JOB +LAST HOLDER +SINCE$/m)
    expect(stdout).toMatch(/^nightly-report +a-node:1 +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/m)
    await leaseClient(url, prefix).deleteAll()
  })
})
