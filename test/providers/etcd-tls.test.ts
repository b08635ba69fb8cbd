import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { etcd } from '../../providers/etcd/index.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { launchEtcd } from '../servers/etcd.ts'
import { onFreePort } from '../servers/free-port.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import { acquire } from '../unit/provider/versioned/requests.ts'

const { etcd: available } = inject('servers')
const source = fileURLToPath(new URL('../../providers/etcd/index.ts', import.meta.url))

/** Node.js reads NODE_EXTRA_CA_CERTS when it starts. */
const program = (url: string): string => `
import { etcd } from ${JSON.stringify(source)}
const provider = etcd(${JSON.stringify(url)})
const [result] = await provider.acquire([
  { name: 'tls', owner: 'one', label: 'node', lockAtMostFor: 60_000, maxClockSkew: 60_000 },
])
console.log(result instanceof Error ? result.message : result.granted)
await provider.close()
`

describe.skipIf('unavailable' in available)('etcd over TLS', () => {
  let folder: string
  let server: ServerProcess
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ticklock-etcd-tls-'))
    makeCertificates(folder)
    await chmod(join(folder, 'server.key'), 0o600)
    server = await onFreePort((port) => launchEtcd(port, folder))
  })
  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is refused with a certificate of an unknown authority', async () => {
    const provider = etcd(`etcds://localhost:${server.port}`)
    await expect(acquire(provider, 'tls', 'one')).rejects.toThrow(/can't be reached: .*certificate/)
    await provider.close()
  })

  it('grants with the authority in NODE_EXTRA_CA_CERTS', async () => {
    const file = join(folder, 'program.mts')
    await writeFile(file, program(`etcds://localhost:${server.port}`))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
    })
    expect(stdout).toBe('true\n')
  })
})
