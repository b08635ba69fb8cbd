import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { nats } from '../../providers/nats/index.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { onFreePort } from '../servers/free-port.ts'
import { launchNats } from '../servers/nats.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import { acquire } from '../unit/provider/versioned/requests.ts'

const { nats: available } = inject('servers')
const source = fileURLToPath(new URL('../../providers/nats/index.ts', import.meta.url))

/** Node.js reads NODE_EXTRA_CA_CERTS when it starts. */
const program = (url: string): string => `
import { nats } from ${JSON.stringify(source)}
const provider = nats(${JSON.stringify(url)})
await provider.setup()
const [result] = await provider.acquire([
  { name: 'tls', owner: 'one', label: 'node', lockAtMostFor: 60_000, maxClockSkew: 60_000 },
])
console.log(result instanceof Error ? result.message : result.granted)
await provider.close()
`

describe.skipIf('unavailable' in available)('NATS over TLS', () => {
  let folder: string
  let server: ServerProcess
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ticklock-nats-tls-'))
    makeCertificates(folder)
    const tls = `tls { cert_file: "${join(folder, 'server.pem')}", key_file: "${join(folder, 'server.key')}" }`
    server = await onFreePort((port) => launchNats(port, [tls]))
  })
  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it.each(['nats+tls', 'nats'])('%s:// is refused with a certificate of an unknown authority', async (scheme) => {
    const provider = nats(`${scheme}://localhost:${server.port}`)
    await expect(acquire(provider, 'tls', 'one')).rejects.toThrow(/can't be reached: .*certificate/)
    await provider.close()
  })

  it('grants with the authority in NODE_EXTRA_CA_CERTS', async () => {
    const file = join(folder, 'program.mts')
    await writeFile(file, program(`nats+tls://localhost:${server.port}`))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
    })
    expect(stdout).toBe('true\n')
  })
})
