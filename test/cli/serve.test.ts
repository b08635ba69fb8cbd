import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { codeBlocks } from '../docs/code-blocks.ts'
import { freePort } from '../servers/free-port.ts'
import { installed } from './installed.ts'
import { type Ticklock, until, Workplace } from './ticklock.ts'

const TOKEN = 'correct horse battery staple'
const environment = { TICKLOCK_SERVE_TOKEN: TOKEN }
const { postgres } = inject('servers')
const curl = await installed('curl')
const openssl = await installed('openssl')

/** A server that listens. */
async function serving(
  place: Workplace,
  port: number,
  store = 'memory:',
  more: readonly string[] = [],
): Promise<Ticklock> {
  const server = place.start(['serve', '--listen', `127.0.0.1:${port}`, '--store', store, ...more], environment)
  await server.line(({ msg }) => msg.startsWith('serving '), 'the start')
  return server
}

describe('ticklock serve', () => {
  it('says at its start what it serves and where, is watched, and ends at SIGTERM', async () => {
    await using place = new Workplace()
    const port = await freePort()
    const server = await serving(place, port, 'sqlite:./locks.sqlite')
    expect(server.log.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        RegExp(`^serving the locks of SQLite at sqlite:.*locks.sqlite on http://127.0.0.1:${port}/$`),
      ),
    ])
    const at = `http://127.0.0.1:${port}`
    for (const path of ['/healthz', '/readyz']) expect((await fetch(at + path)).status).toBe(200)
    expect((await fetch(`${at}/metrics`)).status).toBe(401)
    const metrics = await fetch(`${at}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    expect(await metrics.text()).toContain('ticklock_server_calls_under_way')
    server.signal('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' })
    expect(server.log.at(-1)?.msg).toBe('stopped')
    expect(server.stdout).not.toContain(TOKEN)
  })

  it('is a store to every other command: exec, status, doctor, setup', async () => {
    await using place = new Workplace()
    const port = await freePort()
    await serving(place, port)
    const store = ['--store', `http://127.0.0.1:${port}`]
    const execution = await place.run(
      ['exec', 'backup', ...store, '--', 'sh', '-c', 'echo "token [$TICKLOCK_SERVE_TOKEN]"'],
      environment,
    )
    expect(execution).toMatchObject({ code: 0, stdout: 'token []\n' })
    const status = await place.run(['status', ...store, '--json'], environment)
    expect(JSON.parse(status.stdout)).toMatchObject({ locks: [{ name: 'backup', state: 'free' }] })
    expect((await place.run(['setup', ...store], environment)).stdout).toContain('is ready')
    const doctor = await place.run(['doctor', ...store], environment)
    expect(doctor).toMatchObject({ code: 0, stdout: expect.stringContaining('locks can be read and written') })
  })

  it('refuses a wrong token: the command says what to do, and shows no token', async () => {
    await using place = new Workplace()
    const port = await freePort()
    const server = await serving(place, port)
    const wrong = 'another horse battery staple'
    const status = await place.run(['status', '--store', `http://127.0.0.1:${port}`], { TICKLOCK_SERVE_TOKEN: wrong })
    expect(status).toMatchObject({ code: 69, stderr: expect.stringContaining('set TICKLOCK_SERVE_TOKEN') })
    for (const shown of [status.stdout, status.stderr, server.stdout]) expect(shown).not.toMatch(/horse/)
  })

  it.each<[string, readonly string[], NodeJS.ProcessEnv, string]>([
    ['an address beyond this machine without a token', ['--listen', '0.0.0.0:0'], {}, 'set TICKLOCK_SERVE_TOKEN'],
    ['a short token', [], { TICKLOCK_SERVE_TOKEN: 'hush-hush' }, 'TICKLOCK_SERVE_TOKEN: '],
    ['no address', ['--listen', 'locks.example.com:80'], {}, 'listen must look like'],
    ['half of TLS', ['--tls-cert', 'cert.pem'], {}, 'go together'],
    ['a certificate that is missing', ['--tls-cert', 'none.pem', '--tls-key', 'none.pem'], {}, 'no such file'],
    ['a certificate that is none', ['--tls-cert', 'text.pem', '--tls-key', 'text.pem'], {}, 'must be a certificate'],
  ])('refuses %s', async (_, args, variables, message) => {
    await using place = new Workplace()
    place.write('text.pem', 'text')
    const { code, stderr } = await place.run(
      ['serve', '--listen', '127.0.0.1:0', '--store', 'memory:', ...args],
      variables,
    )
    expect({ code, stderr }).toMatchObject({ code: 64, stderr: expect.stringContaining(message) })
    expect(stderr).not.toContain('hush-hush')
  })

  it('says when its port is taken', async () => {
    await using place = new Workplace()
    const port = await freePort()
    await serving(place, port)
    const second = await place.run(['serve', '--listen', `127.0.0.1:${port}`, '--store', 'memory:'])
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`can't listen on 127.0.0.1:${port}`) })
  })

  it('ends the call under way before it stops, and a call whose client dawdles after its grace', async () => {
    await using place = new Workplace()
    const port = await freePort()
    const server = await serving(place, port, 'memory:', ['--stop-grace-for', '100ms'])
    const sent = request(`http://127.0.0.1:${port}/v1/read`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'content-length': 2 },
    })
    const failed = once(sent, 'error')
    sent.write('{')
    await once(sent, 'socket')
    await until(
      () => sent.socket?.bytesWritten !== 0,
      () => 'the request',
    )
    server.signal('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0 })
    expect((await failed)[0]).toBeInstanceOf(Error)
  })
})

describe.skipIf(!openssl)('ticklock serve with TLS', () => {
  const certificate = (place: Workplace, name: string): string[] => {
    const files = [`${place.folder}/${name}.pem`, `${place.folder}/${name}.key`] as const
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    execFileSync(openssl ?? '', [...args, ...subject, '-out', files[0], '-keyout', files[1]], { stdio: 'ignore' })
    return ['--tls-cert', files[0], '--tls-key', files[1]]
  }

  async function nameShown(port: number): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return String(CN)
  }

  it('locks for those who trust its certificate, which is read again at SIGHUP', async () => {
    await using place = new Workplace()
    const port = await freePort()
    const server = await serving(place, port, 'memory:', certificate(place, 'first'))
    const store = ['--store', `https://127.0.0.1:${port}`]
    const trusting = { ...environment, NODE_EXTRA_CA_CERTS: `${place.folder}/first.pem` }
    expect(await place.run(['setup', ...store], trusting)).toMatchObject({ code: 0 })
    const stranger = await place.run(['setup', ...store], environment)
    expect(stranger).toMatchObject({ code: 69, stderr: expect.stringContaining('self-signed certificate') })
    expect(await nameShown(port)).toBe('first')
    certificate(place, 'second')
    for (const kind of ['pem', 'key'])
      place.write(`first.${kind}`, execFileSync('cat', [`${place.folder}/second.${kind}`], { encoding: 'utf8' }))
    server.signal('SIGHUP')
    await server.line(({ msg }) => msg.startsWith('SIGHUP: new connections'), 'the new certificate')
    expect(await nameShown(port)).toBe('second')
    place.write('first.pem', 'text')
    server.signal('SIGHUP')
    await server.line(({ msg }) => msg.includes('the one in use stays'), 'the wrong certificate')
    expect(await nameShown(port)).toBe('second')
  })

  it('counts connections before their handshake, so that silent ones keep nobody out', async () => {
    await using place = new Workplace()
    const port = await freePort()
    await serving(place, port, 'memory:', [...certificate(place, 'first'), '--most-connections', '5'])
    const silent = Array.from({ length: 20 }, () =>
      connectPlain(port, '127.0.0.1')
        .on('error', () => {})
        .resume(),
    )
    await until(
      () => silent.filter(({ destroyed }) => destroyed).length >= 15,
      () => 'the end of those that were idle longest',
    )
    expect(await nameShown(port)).toBe('first')
    for (const socket of silent) socket.destroy()
  })
})

describe.skipIf(!curl)('curl', () => {
  it('obtains, renews and releases a lock by the commands of docs/providers/http.md', async () => {
    await using place = new Workplace()
    const port = await freePort()
    await serving(place, port)
    const [commands] = codeBlocks('docs/providers/http.md').filter(({ code }) => /^ {2}curl /m.test(code))
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands?.code ?? 'false'], {
      env: { ...process.env, ...environment, LOCKS_URL: `http://127.0.0.1:${port}` },
    })
    const responses = JSON.parse(`[${stdout.replaceAll('}{', '},{')}]`)
    expect(responses).toMatchObject([
      { results: [{ granted: true, lease: { name: 'backup' } }] },
      { results: [{ extended: true, lease: { name: 'backup' } }] },
      { results: [{ released: true }] },
    ])
    const [{ lease: first }, { lease: second }] = [responses[0].results[0], responses[1].results[0]]
    expect(second.lockUntil).toBeGreaterThan(first.lockUntil)
  })
})

describe.skipIf('unavailable' in postgres)('three processes of ticklock run on http:// over PostgreSQL', () => {
  const store = 'url' in postgres ? postgres.url : ''

  async function cluster(place: Workplace, urls: string): Promise<Ticklock[]> {
    place.config(`
store: ${urls}
storeTimeout: 2s
defaults: { lockAtMostFor: 1m }
jobs:
  - name: serve-${process.pid}-${Date.now()}
    every: 200ms
    shell: echo "$TICKLOCK_SCHEDULED_AT $TICKLOCK_FENCING_TOKEN $NODE" >> ran
`)
    const nodes = ['one', 'two', 'three'].map((node) => place.start(['run'], { ...environment, NODE: node }))
    await Promise.all(nodes.map((node) => node.running()))
    return nodes
  }

  /** Resolves when so many more ticks have run. */
  async function more(place: Workplace, count: number): Promise<void> {
    const before = place.lines('ran').length
    await until(
      () => place.lines('ran').length >= before + count,
      () => `${count} more ticks after ${before}`,
    )
  }

  async function ranOnce(place: Workplace, nodes: readonly Ticklock[]): Promise<void> {
    for (const node of nodes) node.signal('SIGTERM')
    for (const node of nodes) expect(await node.ended).toMatchObject({ code: 0 })
    const ran = place.lines('ran').map((line) => line.split(' '))
    for (const column of [0, 1]) expect(new Set(ran.map((line) => line[column])).size).toBe(ran.length)
  }

  it('run each tick once, and go on after the server was killed and started again', async () => {
    await using place = new Workplace()
    const port = await freePort()
    const server = await serving(place, port, store)
    const nodes = await cluster(place, `http://127.0.0.1:${port}`)
    await more(place, 5)
    server.signal('SIGKILL')
    await server.ended
    await serving(place, port, store)
    await more(place, 5)
    await ranOnce(place, nodes)
  })

  it('run each tick once on two servers, each of which is killed in turn', async () => {
    await using place = new Workplace()
    const ports = [await freePort(), await freePort()] as const
    const first = await serving(place, ports[0], store)
    const second = await serving(place, ports[1], store)
    const nodes = await cluster(place, ports.map((port) => `http://127.0.0.1:${port}`).join(','))
    await more(place, 5)
    first.signal('SIGKILL')
    await first.ended
    await more(place, 5)
    await serving(place, ports[0], store)
    second.signal('SIGKILL')
    await second.ended
    await more(place, 5)
    await ranOnce(place, nodes)
  })
})
