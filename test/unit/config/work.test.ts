import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { JobPlan, Way } from '../../../src/config/plan.ts'
import { planText } from '../../../src/config/read.ts'
import { Lines, LONGEST_LINE } from '../../../src/config/work/lines.ts'
import { workOf } from '../../../src/config/work/work-of.ts'
import { silentLogger } from '../../../src/logger.ts'
import type { JobContext } from '../../../src/scheduler/job.ts'

/** Runs a job as a scheduler does; answers what it logged. */
async function run(
  plan: Pick<JobPlan, 'way'> & Partial<JobPlan>,
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
  await workOf(plan as JobPlan)(context)
  return lines
}

const shell = (script: string): { way: Way } => ({
  way: { kind: 'shell', script, cwd: tmpdir(), env: { MINE: 'mine' }, killAfter: 5_000 },
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
    await expect(run({ way: exec })).rejects.toThrow("can't be started: there is no program ./none")
    const cwd = join(tmpdir(), 'no', 'such', 'folder')
    await expect(run({ way: { ...exec, cwd } })).rejects.toThrow(`can't be started: there is no folder ${cwd}`)
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
    const lines: string[] = []
    const cutter = new Lines((line) => lines.push(line))
    for (const byte of Buffer.from('grün\r\n\nlast')) cutter.write(Buffer.from([byte]))
    cutter.end()
    expect(lines.splice(0)).toEqual(['grün', '', 'last'])
    cutter.write(Buffer.alloc(LONGEST_LINE * 2 + 1, 'x'))
    cutter.end()
    expect(lines.map(({ length }) => length)).toEqual([LONGEST_LINE, LONGEST_LINE, 1])
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

  it('has failed when nobody is there, and when it takes longer than its timeout', async () => {
    const way = {
      kind: 'http',
      url: 'http://127.0.0.1:1/x',
      method: 'GET',
      headers: {},
      body: undefined,
      expectStatus: [[200, 299]],
    } as const
    await expect(run({ way })).rejects.toThrow(/^could not reach 127\.0\.0\.1:1: /)
    await expect(send(() => {}, {}, { timeout: 100 })).rejects.toThrow('took longer than its timeout of 100 ms')
  })
})

describe('a job that is a function', () => {
  it('whose file has none of that name says which there are', async () => {
    const file = fileURLToPath(import.meta.url).replace('work.test.ts', 'functions.ts')
    await expect(run({ way: { kind: 'module', file, exported: 'none' } })).rejects.toThrow(
      `${file} exports no function none; its functions are: report, slow`,
    )
    expect(await run({ way: { kind: 'module', file, exported: 'report' } })).toEqual(['report of nächtlich'])
  })

  it('that ignores its signal has failed all the same when it was late', async () => {
    const file = fileURLToPath(import.meta.url).replace('work.test.ts', 'functions.ts')
    await expect(run({ way: { kind: 'module', file, exported: 'slow' }, timeout: 20 })).rejects.toThrow(
      'took longer than its timeout of 20 ms',
    )
  })
})
