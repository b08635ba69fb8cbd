import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import { findProgram } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { listens } from './listens.ts'
import { runProgram } from './run-program.ts'
import { ServerProcess } from './server-process.ts'
import { unpackedFromSid } from './sid-package.ts'
import type { ServerKind } from './test-server.ts'

/** One NATS with JetStream. What it has acknowledged outlives a kill. */
export const nats: ServerKind = {
  variable: 'TICKLOCK_TEST_NATS_URL',
  version: natsVersion,
  async start() {
    const server = await onFreePort((port) => launchNats(port))
    return { url: `nats://127.0.0.1:${server.port}`, processes: [server] }
  },
}

async function natsVersion(url: string): Promise<string> {
  const connection = await connect({ servers: url.replace('nats://', ''), reconnect: false, timeout: 2_000 })
  try {
    await connection.request('$JS.API.INFO', '', { timeout: 2_000 })
    return connection.info?.version ?? 'unknown'
  } finally {
    await connection.close()
  }
}

/** The one on this machine from 2.10 on, else the one of Debian's sid: bookworm's is 2.9. */
async function findNats(): Promise<string> {
  const program = findProgram('nats-server')
  const [, major = 0, minor = 0] = /v(\d+)\.(\d+)/.exec(program ? await runProgram(program, ['--version']) : '') ?? []
  if (program !== undefined && Number(major) * 100 + Number(minor) >= 210) return program
  return join(await unpackedFromSid('nats-server', '2.15'), 'usr/sbin/nats-server')
}

/** @param more lines of its configuration, such as users */
export async function launchNats(port: number, more: readonly string[] = []): Promise<ServerProcess> {
  return await ServerProcess.launch({
    name: 'nats',
    port,
    program: await findNats(),
    prepare: (folder) =>
      writeFile(
        join(folder, 'nats.conf'),
        [`listen: 127.0.0.1:${port}`, `jetstream { store_dir: ${JSON.stringify(folder)} }`, ...more].join('\n'),
      ),
    args: (folder) => ['--config', join(folder, 'nats.conf')],
    // It listens when JetStream is up.
    probe: () => (more.length === 0 ? natsVersion(`nats://127.0.0.1:${port}`) : listens(port)),
  })
}
