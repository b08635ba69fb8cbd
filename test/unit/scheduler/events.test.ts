import { Writable } from 'node:stream'
import pino from 'pino'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { childLogger, type Logger, safeLogger, silentLogger } from '../../../src/logger.ts'
import { Emitter } from '../../../src/scheduler/emitter.ts'
import { logEvents } from '../../../src/scheduler/log-events.ts'
import { Cluster, MIDNIGHT, Work } from './cluster.ts'

const skew = { skew: 1, uncertainty: 0 }

/** A pino logger, and the lines that it wrote. */
function pinoLines(level: string): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  return { logger: pino({ level, base: null, timestamp: false }, stream), lines }
}

const NAMES: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }
const short = ({ level, msg }: Record<string, unknown>): string => `${NAMES[level as number]}: ${msg}`

describe('listeners', () => {
  it('are told in the order they came, until they are taken away', () => {
    const told: string[] = []
    const emitter = new Emitter(() => {})
    const off = emitter.on('clock-skew', () => told.push('a'))
    emitter.onAny((name) => told.push(`any ${name}`))
    emitter.on('clock-skew', () => told.push('b'))
    emitter.emit('clock-skew', () => skew)
    off()
    off()
    emitter.emit('clock-skew', () => skew)
    expect(told).toEqual(['a', 'b', 'any clock-skew', 'b', 'any clock-skew'])
  })

  it('that throw or reject keep nobody else from being told', async () => {
    const thrown: unknown[] = []
    let told = 0
    const emitter = new Emitter((name, error) => thrown.push([name, error]))
    emitter.on('clock-skew', () => {
      throw 'a'
    })
    emitter.on('clock-skew', () => Promise.reject('b'))
    // biome-ignore lint/suspicious/noThenProperty: what other promises than the language's look like
    emitter.on('clock-skew', () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject('c') }))
    emitter.onAny(() => {
      throw 'd'
    })
    emitter.on('clock-skew', () => told++)
    emitter.emit('clock-skew', () => skew)
    await new Promise(setImmediate)
    expect(told).toBe(1)
    expect(thrown.map((one) => (one as unknown[])[1]).toSorted()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('cost nothing while there are none', () => {
    const make = vi.fn(() => skew)
    new Emitter(() => {}).emit('clock-skew', make)
    expect(make).not.toHaveBeenCalled()
  })

  it('and loggers that throw or reject at everything change no outcome', async () => {
    const cluster = new Cluster()
    const throws = (): never => {
      throw new Error('the log is full')
    }
    const rejects = () => Promise.reject(new Error('the log is far away'))
    const logger = { debug: throws, info: rejects, warn: rejects, error: throws }
    const node = cluster.node({ logger })
    node.scheduler.onAny(() => throws())
    node.scheduler.onAny(() => rejects())
    let ran = 0
    cluster.job({ every: '1s' }, (context) => {
      context.logger.info({}, 'working')
      context.logger.error({}, 'working')
      ran++
    })
    cluster.job({ name: 'broken', every: '1s' }, () => throws())
    await cluster.start()
    await cluster.until(2)
    expect(ran).toBe(3)
    expect(node.events('succeeded')).toHaveLength(3)
    expect(node.events('released')).toHaveLength(6)
  })

  it('that take jobs in and out, and stop, while they are told do no harm', async () => {
    const cluster = new Cluster()
    const node = cluster.node()
    const { scheduler } = node
    cluster.job({ every: '1s' })
    let once = true
    scheduler.on('tick', ({ job }) => {
      if (!once) return
      once = false
      expect(scheduler.remove(job)).toBe(true)
      cluster.job({ name: 'other', every: '1s' })
    })
    await cluster.start()
    await cluster.until(2)
    expect(cluster.ran.map(({ job, tick }) => `${job} ${tick}`)).toEqual(['other 1', 'other 2'])
    scheduler.on('tick', () => void scheduler.stop())
    await cluster.until(5)
    expect(node.store.callsOf('close')).toHaveLength(1)
  })
})

describe('a pino logger', () => {
  it('gets a line for each event that matters', async () => {
    const cluster = new Cluster()
    const { logger, lines } = pinoLines('debug')
    const node = cluster.node({ logger })
    cluster.job({ every: '10s' })
    cluster.job({ name: 'broken', every: '20s' }, () => {
      throw new TypeError('broken')
    })
    await cluster.start()
    await cluster.until(1)
    expect(lines.map(short).toSorted()).toEqual([
      'debug: job started',
      'debug: job started',
      'error: job failed',
      'info: job succeeded',
      'info: scheduler started',
    ])
    const job = { job: 'job', kind: 'schedule', scheduledAt: new Date(MIDNIGHT).toISOString() }
    const line = (text: string) => lines.find(({ msg }) => msg === text)
    expect(line('job succeeded')).toMatchObject({ ...job, duration: 0, fencingToken: cluster.ran[0]?.token })
    expect(line('job failed')).toMatchObject({ job: 'broken', err: { type: 'TypeError', message: 'broken' } })
    lines.length = 0
    node.store.set('down')
    await cluster.until(10.01)
    expect(lines.map(short)).toEqual(['warn: store failed'])
    await cluster.until(40)
    expect(lines.map(short)).toContain('warn: tick missed')
  })

  it('gets ordinary skips at debug alone, but a tick refused for its clock as an error', async () => {
    const cluster = new Cluster()
    const { logger, lines } = pinoLines('info')
    const [first] = [cluster.node({ logger }), cluster.node({ logger, wallAhead: 600_000 })]
    const work = new Work()
    cluster.job({ every: '10s' }, work.run)
    cluster.nodes[1]?.store.set('down')
    await cluster.start()
    cluster.nodes[1]?.store.set('up')
    await cluster.until(20)
    expect(first.events('skipped').length).toBeGreaterThan(0)
    expect(lines.map(short).filter((line) => line.includes('skipped'))).toEqual([])
    expect(lines.map(short)).toContain("error: tick refused: it lies ahead of the store's clock, check this machine's")
    expect(lines.map(short)).toContain("warn: this machine's clock differs from the store's; ticks go by the store's")
    work.end()
  })

  it("hears the job's own lines with job, tick and token in each", async () => {
    const cluster = new Cluster()
    const { logger, lines } = pinoLines('warn')
    cluster.node({ logger })
    cluster.job({ every: '10s' }, (context) => context.logger.warn({ rows: 5 }, 'slow'))
    await cluster.start()
    await cluster.until(1)
    const fields = { job: 'job', scheduledAt: new Date(MIDNIGHT).toISOString(), fencingToken: cluster.ran[0]?.token }
    expect(lines).toEqual([{ level: 40, ...fields, rows: 5, msg: 'slow' }])
  })
})

describe('no logger', () => {
  it('means the console: one line at the start, warnings and errors, and nothing about what goes well', async () => {
    const lines: string[] = []
    for (const level of ['info', 'warn', 'error'] as const)
      vi.spyOn(console, level).mockImplementation((message) => void lines.push(`${level} ${message}`))
    onTestFinished(() => void vi.restoreAllMocks())
    const cluster = new Cluster()
    const node = cluster.node({ logger: undefined })
    cluster.job({ name: 'good', every: '10s' })
    cluster.job({ name: 'bad', every: '10s' }, () => Promise.reject(new Error('no disk')))
    await cluster.start()
    await cluster.until(5)
    expect(lines).toEqual(['info ticklock: scheduler started', 'error ticklock: job failed'])
    expect(node.ticksOf('started')).toEqual([0, 0])
  })

  it.each(['acquired', 'started', 'succeeded', 'released', 'skipped'] as const)(
    'leaves the event %s unmade: nobody listens',
    (name) => {
      const emitter = new Emitter(() => {})
      const make = vi.fn<() => never>()
      logEvents(emitter, silentLogger, { verbose: false })
      emitter.emit(name, make)
      expect(make).not.toHaveBeenCalled()
    },
  )

  it('given as false writes nothing', async () => {
    const error = vi.spyOn(console, 'error')
    onTestFinished(() => void vi.restoreAllMocks())
    const cluster = new Cluster()
    const node = cluster.node({ logger: false })
    cluster.job({ every: '10s' }, () => Promise.reject(new Error('no disk')))
    await cluster.start()
    await cluster.until(5)
    expect(node.events('failed')).toHaveLength(1)
    expect(error).not.toHaveBeenCalled()
  })
})

describe('any other logger', () => {
  it('may be the console', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {})
    vi.spyOn(console, 'debug').mockImplementation(() => {})
    const cluster = new Cluster()
    cluster.node({ logger: console })
    cluster.job({ every: '10s' }, ({ logger }) => logger.info({ rows: 5 }, 'done'))
    await cluster.start()
    await cluster.until(1)
    expect(info.mock.calls.map(([fields, text]) => [text, (fields as { rows?: number }).rows])).toEqual([
      ['scheduler started', undefined],
      ['done', 5],
      ['job succeeded', undefined],
    ])
    vi.restoreAllMocks()
  })

  it('has fields added to each line, which the line may overrule', () => {
    const lines: object[] = []
    const note = (fields: object): void => void lines.push(fields)
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    childLogger(logger, { job: 'a', rows: 1 }).info({ rows: 2 }, '')
    expect(lines).toEqual([{ job: 'a', rows: 2 }])
  })

  it('is called as its own method', () => {
    class Own {
      readonly #lines: string[] = []
      #write = (text: string): void => void this.#lines.push(text)
      debug(_: object, text: string): void {
        this.#write(text)
      }
      info(_: object, text: string): void {
        this.#write(text)
      }
      warn(_: object, text: string): void {
        this.#write(text)
      }
      error(_: object, text: string): void {
        this.#write(text)
      }
      get lines(): string[] {
        return this.#lines
      }
    }
    const own = new Own()
    safeLogger(childLogger(own, {})).warn({}, 'text')
    expect(own.lines).toEqual(['text'])
  })
})
