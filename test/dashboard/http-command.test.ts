/* The page as `ticklock run --http` serves it, and `ticklock pause` and `resume`, by the built command. */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const bin = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url))
const TOKEN = 'a token of the tests, not of anybody'

const CONFIG = `
store: sqlite:./locks.sqlite
jobs:
  - name: hello
    every: 1s
    lockAtMostFor: 10s
    shell: echo hello
  - name: nightly
    cron: 0 2 * * *
    lockAtMostFor: 1m
    expectEvery: 2d
    shell: exit 3
`

describe('ticklock run --http', () => {
  let folder: string
  let stop: () => Promise<void>
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ticklock-http-'))
    writeFileSync(join(folder, 'ticklock.config.yaml'), CONFIG)
    const args = [bin, 'run', '--http', '127.0.0.1:0', '--http-hosts', 'jobs.example.com', '--log-format', 'json']
    const node = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, TICKLOCK_HTTP_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise<void>((resolve) => node.once('exit', () => resolve()))
    stop = () => {
      node.kill('SIGTERM')
      return ended
    }
    url = await new Promise((resolve, reject) => {
      void ended.then(() => reject(new Error('ticklock ended before it served its page')))
      createInterface({ input: node.stdout }).on('line', (line) => {
        const found = /page at (http:\S+\/)/.exec(line)?.[1]
        if (found) resolve(found)
      })
    })
  })
  afterAll(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const get = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T
  const cli = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [bin, ...args], { cwd: folder }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  const poll = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 })

  it('shows the jobs of the config, their runs, and this node', async () => {
    await poll(
      async () => (await get<{ jobs: { strip: unknown[] }[] }>('api/jobs')).jobs[0]?.strip.length,
    ).toBeGreaterThan(1)
    const { jobs } = await get<{ jobs: { name: string; schedule: string }[] }>('api/jobs')
    expect(jobs.map(({ name, schedule }) => [name, schedule])).toEqual([
      ['hello', 'every 1 s'],
      ['nightly', 'at 02:00, UTC'],
    ])
    expect(await get<unknown[]>('api/nodes')).toMatchObject([{ stopped: false }])
  })

  it('answers what watches the process', async () => {
    await poll(async () => (await fetch(`${url}readyz`)).status).toBe(200)
    expect(await get('healthz')).toEqual({ ok: true, reasons: [] })
    expect(await (await fetch(`${url}metrics`)).text()).toMatch(
      /^ticklock_runs_total\{job="hello",outcome="succeeded"\} [1-9]/m,
    )
  })

  it('shows a pause that ticklock pause has made, and its end', async () => {
    const paused = async () => (await get<{ jobs: { paused: boolean }[] }>('api/jobs?search=hello')).jobs[0]?.paused
    expect(await cli('pause', 'hello')).toMatchObject({ code: 0, stdout: '✓ hello is paused, on every node\n' })
    expect(await paused()).toBe(true)
    expect((await cli('pause', 'hello')).stdout).toBe('hello is paused, as before\n')
    await poll(async () => {
      const { entries } = await get<{ entries: { reason?: string }[] }>('api/job?name=hello')
      return entries[0]?.reason
    }).toBe('paused')
    expect((await cli('resume', 'hello')).stdout).toBe('✓ hello is not paused, on every node\n')
    expect(await paused()).toBe(false)
  })

  it('triggers with the token of the environment', async () => {
    const headers = { 'content-type': 'application/json', 'x-ticklock': 'test', authorization: `Bearer ${TOKEN}` }
    const body = JSON.stringify({ action: 'trigger', job: 'nightly' })
    const { status } = await fetch(`${url}api/act`, { method: 'POST', headers, body })
    expect(status).toBeLessThan(300)
    await poll(async () => {
      const { entries } = await get<{ entries: { outcome: string }[] }>('api/job?name=nightly')
      return entries[0]?.outcome
    }).toBe('failed')
  })

  it('is known by the names of --http-hosts, and no others', async () => {
    const statusAs = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request(`${url}api/jobs`, { headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        sent.on('error', reject).end()
      })
    expect(await statusAs('jobs.example.com:8443')).toBe(200)
    expect(await statusAs('evil.example')).toBe(421)
    const refused = await cli('run', '--http', '127.0.0.1:0', '--http-hosts', 'https://jobs.example.com')
    expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining('without scheme, port and path') })
  })

  it('refuses to listen beyond this machine without a token, and a job that is none', async () => {
    const refused = await cli('run', '--http', '0.0.0.0:0')
    expect(refused.code).toBe(64)
    expect(refused.stderr).toContain('listening on 0.0.0.0, beyond this machine, needs a token')
    expect(await cli('pause', 'helo')).toMatchObject({ code: 1, stderr: expect.stringContaining('hello') })
  })
})
