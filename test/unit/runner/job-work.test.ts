import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Action, JobPlan } from '../../../src/config/plan.ts'
import { planText } from '../../../src/config/read.ts'
import { type Logger, silentLogger } from '../../../src/logger.ts'
import { jobWork } from '../../../src/runner/job-work.ts'
import { Lines, LONGEST_LINE } from '../../../src/runner/lines.ts'
import { logOutput } from '../../../src/runner/log-output.ts'
import { OutputBudget } from '../../../src/runner/output-budget.ts'
import type { JobContext } from '../../../src/scheduler/job.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** Runs a job as a scheduler does; answers what it logged. */
async function run(
  plan: Pick<JobPlan, 'action'> & Partial<JobPlan>,
  signal = new AbortController().signal,
): Promise<string[]> {
  const lines: string[] = []
  const info = (_: object, line: string): void => void lines.push(line)
  const context: JobContext = {
    name: 'nächtlich',
    scheduledAt: new Date('2026-01-31T02:00:00Z'),
    firedAt: new Date('2026-01-31T02:00:01Z'),
    lock: undefined,
    fencingToken: 42,
    signal,
    logger: { ...silentLogger, info },
  }
  await jobWork(plan as JobPlan)(context)
  return lines
}

const shell = (script: string): { action: Action } => ({
  action: { kind: 'shell', script, cwd: tmpdir(), env: { MINE: 'mine' }, killAfter: 5_000 },
})

describe('a job that is a command', () => {
  it('logs its output line by line, with the lock in its environment', async () => {
    const script =
      'printf "a\\nb"; echo " $TICKLOCK_JOB $TICKLOCK_SCHEDULED_AT $TICKLOCK_FIRED_AT $TICKLOCK_FENCING_TOKEN $MINE"'
    expect(await run(shell(script))).toEqual([
      'a',
      'b nächtlich 2026-01-31T02:00:00.000Z 2026-01-31T02:00:01.000Z 42 mine',
    ])
  })

  it('has failed with another exit code than 0, with a signal, and when it can not be started', async () => {
    await expect(run(shell('exit 3'))).rejects.toThrow('exited with code 3')
    await expect(run(shell('kill -9 $$'))).rejects.toThrow('was ended by SIGKILL')
    const exec = { kind: 'exec', command: ['./none'], cwd: tmpdir(), env: {}, killAfter: 0 } as const
    await expect(run({ action: exec })).rejects.toThrow("can't be started: there is no program ./none")
    const cwd = join(tmpdir(), 'no', 'such', 'folder')
    await expect(run({ action: { ...exec, cwd } })).rejects.toThrow(`can't be started: there is no folder ${cwd}`)
  })

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController()
    const running = run(shell('sleep 600'), stop.signal)
    stop.abort(new Error('the lock was lost'))
    await expect(running).rejects.toThrow('the lock was lost')
  })
})

describe('what a process writes', () => {
  it('is cut into lines whatever the pieces, and long lines into parts', () => {
    const cutter = new Lines()
    const bytes = [...Buffer.from('grün\r\n\nlast')].map((byte) => Buffer.from([byte]))
    expect([...bytes.flatMap((byte) => cutter.write(byte)), ...cutter.end()]).toEqual(['grün', '', 'last'])
    const long = [...cutter.write(Buffer.alloc(LONGEST_LINE * 2 + 1, 'x')), ...cutter.end()]
    expect(long.map(({ length }) => length)).toEqual([LONGEST_LINE, LONGEST_LINE, 1])
  })

  it('can be passed over up to the end of a line', () => {
    const cutter = new Lines()
    cutter.write(Buffer.from('begun'))
    const [before, after] = ['ended\nü\ngr', 'ün\n'].map((text) => Buffer.from(text)) as [Buffer, Buffer]
    expect(cutter.skip(Buffer.concat([before, after.subarray(0, 1)]))).toBe(2)
    expect(cutter.write(after.subarray(1))).toEqual(['grün'])
    expect(cutter.skip(Buffer.from('no end'))).toBe(0)
    expect([...cutter.write(Buffer.from(' of line\nnext')), ...cutter.end()]).toEqual([' of line', 'next'])
  })
})

describe('the output of a run', () => {
  const limits = { burst: { lines: 5, bytes: 100 }, perSecond: { lines: 2, bytes: 50 } }

  function budgeted() {
    const clock = new ManualClock()
    const reports: object[] = []
    const budget = new OutputBudget((dropped) => reports.push(dropped), limits, clock)
    /** So many lines of that length; answers how many were taken. */
    const print = (lines: number, bytes: number): number => {
      let taken = 0
      for (let count = 0; count < lines; count++) {
        if (budget.take(bytes)) taken++
        else budget.drop({ lines: 1, bytes })
      }
      return taken
    }
    return { clock, reports, budget, print }
  }

  it('is logged up to a burst, then up to a rate, with a report each second of what was dropped', async () => {
    const { clock, reports, print } = budgeted()
    expect(print(8, 1)).toBe(5)
    await clock.advance(999)
    expect(print(8, 1)).toBe(0)
    expect(reports).toEqual([])
    await clock.advance(1)
    expect(reports.splice(0)).toEqual([{ lines: 11, bytes: 11 }])
    expect(print(8, 1)).toBe(2)
    await clock.advance(1_000)
    expect(reports.splice(0)).toEqual([{ lines: 6, bytes: 6 }])
    await clock.advance(60_000)
    expect(print(5, 1)).toBe(5)
    expect(reports).toEqual([])
  })

  it('is bounded in its bytes, too', async () => {
    const { clock, reports, print } = budgeted()
    expect(print(3, 60)).toBe(2)
    await clock.advance(1_000)
    expect(reports).toEqual([{ lines: 1, bytes: 60 }])
    expect(print(3, 60)).toBe(1)
  })

  it('is reported at its end, too', () => {
    const { reports, budget, print } = budgeted()
    print(6, 1)
    budget.flush()
    budget.flush()
    expect(reports).toEqual([{ lines: 1, bytes: 1 }])
  })

  it('leaves the event loop to others while it is read, and each line is logged or reported as dropped', async () => {
    const chunk = Buffer.from('y\n'.repeat(32_768))
    const stdout = Readable.from(Array.from({ length: 100 }, () => chunk))
    let turns = 0
    let inTurn = 0
    let most = 0
    let logged = 0
    const count = (): void => {
      turns++
      inTurn = 0
      if (!stdout.closed) setImmediate(count)
    }
    count()
    const dropped: { lines: number; bytes: number }[] = []
    const logger: Logger = {
      ...silentLogger,
      info: () => {
        logged++
        most = Math.max(most, ++inTurn)
      },
      warn: (fields) => dropped.push((fields as { dropped: { lines: number; bytes: number } }).dropped),
    }
    logOutput({ stdout, stderr: null }, logger)
    await once(stdout, 'close')
    const told = (): number => dropped.reduce((sum, { lines }) => sum + lines, logged)
    await vi.waitFor(() => expect(told()).toBe(100 * 32_768))
    expect(most).toBeLessThanOrEqual(200)
    expect(turns).toBeGreaterThan(150)
    expect(logged).toBeGreaterThanOrEqual(10_000)
  })
})

describe('a job that is a request', () => {
  /** Sends it to a server that answers so. */
  async function send(
    answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
    http: object,
    rest: Partial<JobPlan> = {},
  ): Promise<string[]> {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (data) => {
        body += String(data)
      })
      request.on('end', () => answer(request, response, body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`
    const text = JSON.stringify({ jobs: [{ name: 'a', every: '1m', lockAtMostFor: '1m', http: { url, ...http } }] })
    try {
      const [job] = (await planText(text, join(tmpdir(), 'ticklock.config.json'))).jobs
      return await run({ ...(job as JobPlan), ...rest })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  it('takes the lock along, and its body as JSON', async () => {
    let seen: unknown
    await send(
      ({ method, headers }, response, body) => {
        seen = [
          method,
          headers['content-type'],
          headers['ticklock-job'],
          headers['ticklock-scheduled-at'],
          headers['ticklock-fencing-token'],
          headers['x-own'],
          body,
        ]
        response.end()
      },
      { body: { a: 1 }, headers: { 'x-own': 'own' } },
    )
    expect(seen).toEqual([
      'POST',
      'application/json',
      'n%C3%A4chtlich',
      '2026-01-31T02:00:00.000Z',
      '42',
      'own',
      '{"a":1}',
    ])
  })

  it('has failed with a status that was not expected, and says what was answered', async () => {
    const refuse = (_: unknown, response: ServerResponse): void => void response.writeHead(503).end('closed\nfor today')
    await expect(send(refuse, {})).rejects.toThrow('was answered with status 503: closed for today')
    expect(await send(refuse, { expectStatus: ['2xx', 503] })).toEqual([])
  })

  /**
   * A server that keeps what it was sent, and the connections on which a response is under action. `request` runs a job
   * that sends it a request.
   */
  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const busy = new Set<Socket>()
    const requests: { readonly method: string; readonly url: string; readonly headers: object; body: string }[] = []
    const server = createServer((request, response) => {
      const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: '' }
      requests.push(seen)
      request.on('data', (data) => {
        seen.body += String(data)
      })
      request.on('end', () => answer(request, response))
      const { socket } = request
      busy.add(socket)
      response.on('finish', () => busy.delete(socket))
      socket.on('close', () => busy.delete(socket)).on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const request = async (path: string, http: object = {}, rest: Partial<JobPlan> = {}): Promise<string[]> => {
      const job = { name: 'a', every: '1m', lockAtMostFor: '1m', http: { url: `${url}${path}`, ...http } }
      const [plan] = (await planText(JSON.stringify({ jobs: [job] }), join(tmpdir(), 'ticklock.config.json'))).jobs
      return run({ ...(plan as JobPlan), ...rest })
    }
    return { url, requests, busy, request }
  }

  /** Sends on and on, and counts what goes out. */
  function flood(status: number, sent: { bytes: number }) {
    const chunk = Buffer.alloc(65_536, 'x')
    return (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(status)
      const more = (): void => {
        while (!response.destroyed) {
          sent.bytes += chunk.length
          if (!response.write(chunk)) break
        }
      }
      response.on('drain', more)
      more()
    }
  }

  it.each([500, 200, 302])(
    'reads a few KB of an endless body with status %i, then closes its connection',
    async (status) => {
      const sent = { bytes: 0 }
      const { busy, request } = await serve(flood(status, sent))
      if (status === 200) await request('/')
      else await expect(request('/')).rejects.toThrow(`was answered with status ${status}: xxx`)
      await vi.waitFor(() => expect(busy.size).toBe(0))
      // What the kernel's buffers take, and the client reads ahead.
      expect(sent.bytes).toBeLessThan(20 * 2 ** 20)
    },
  )

  it.each([500, 200])('waits no longer than a second for a body that stops, with status %i', async (status) => {
    const { busy, request } = await serve((_, response) => void response.writeHead(status).write('half a '))
    if (status === 200) await request('/')
    else await expect(request('/')).rejects.toThrow('was answered with status 500: half a')
    await vi.waitFor(() => expect(busy.size).toBe(0))
  })

  it('closes its connection at its timeout, whether there are headers, a part of the body, or nothing yet', async () => {
    const { busy, request } = await serve(({ url }, response) => {
      if (url !== '/nothing') response.writeHead(200).flushHeaders()
      if (url === '/half') response.write('half')
    })
    for (const path of ['/nothing', '/headers', '/half']) {
      await expect(request(path, {}, { timeout: 200 })).rejects.toThrow('took longer than its timeout of 200 ms')
      await vi.waitFor(() => expect(busy.size).toBe(0))
    }
  })

  it.each([301, 302, 303, 307, 308])(
    'follows no redirect (%i) to another origin, which gets nothing',
    async (status) => {
      const other = await serve((_, response) => void response.end())
      const { request } = await serve(
        (_, response) => void response.writeHead(status, { location: `${other.url}/x` }).end(),
      )
      const secret = { headers: { 'x-key': 'hush-hush' }, body: 'hush-hush' }
      await expect(request('/', secret)).rejects.toThrow(`to ${other.url}, which would get its headers and body`)
      expect(other.requests).toEqual([])
      expect(await request('/', { ...secret, expectStatus: status })).toEqual([])
    },
  )

  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [302, 'PUT', 'PUT', 'text'],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'text'],
    [308, 'POST', 'POST', 'text'],
  ])('follows a redirect (%i) of a %s within its origin, as a %s', async (status, method, becomes, body) => {
    const { request, requests } = await serve(({ url }, response) =>
      url === '/' ? response.writeHead(status, { location: '/next' }).end('moved') : response.end(),
    )
    await request('/', { method, body: 'text', headers: { 'x-key': 'own' } })
    expect(requests[1]).toMatchObject({ method: becomes, url: '/next', body, headers: { 'x-key': 'own' } })
  })

  it('has failed when it is redirected in a circle, or to nowhere', async () => {
    const { request, requests } = await serve(({ url }, response) => {
      response.writeHead(302, { location: url === '/nowhere' ? 'http://' : '/' }).end()
    })
    await expect(request('/')).rejects.toThrow('was redirected more than 10 times')
    expect(requests).toHaveLength(11)
    await expect(request('/nowhere')).rejects.toThrow('was answered with status 302 and a redirect to no URL')
  })

  it('has failed when nobody is there, and when it takes longer than its timeout', async () => {
    const action = {
      kind: 'http',
      url: 'http://127.0.0.1:1/x',
      method: 'GET',
      headers: {},
      body: undefined,
      expectStatus: [[200, 299]],
    } as const
    await expect(run({ action })).rejects.toThrow(/^could not reach 127\.0\.0\.1:1: /)
    await expect(send(() => {}, {}, { timeout: 100 })).rejects.toThrow('took longer than its timeout of 100 ms')
  })
})

describe('a job that is a function', () => {
  it('whose file has none of that name says which there are', async () => {
    const file = fileURLToPath(import.meta.url).replace('job-work.test.ts', 'functions.ts')
    await expect(run({ action: { kind: 'module', file, exported: 'none' } })).rejects.toThrow(
      `${file} exports no function none; its functions are: report, slow`,
    )
    expect(await run({ action: { kind: 'module', file, exported: 'report' } })).toEqual(['report of nächtlich'])
  })

  it('that ignores its signal has failed all the same when it was late', async () => {
    const file = fileURLToPath(import.meta.url).replace('job-work.test.ts', 'functions.ts')
    await expect(run({ action: { kind: 'module', file, exported: 'slow' }, timeout: 20 })).rejects.toThrow(
      'took longer than its timeout of 20 ms',
    )
  })
})
