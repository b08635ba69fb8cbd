import type { createColors } from 'picocolors'
import { span } from '../format/format.ts'

type Colors = ReturnType<typeof createColors>

/** A line of the log, as pino writes it. */
interface Line {
  readonly level: number
  readonly time: number
  readonly msg: string
  readonly job?: string
  readonly kind?: string
  readonly scheduledAt?: string
  readonly stream?: 'stdout' | 'stderr'
  readonly duration?: number
  readonly reason?: string
  readonly heldBy?: string
  readonly heldUntil?: string
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string }
  readonly [field: string]: unknown
}

const KNOWN = new Set([
  'level',
  'time',
  'msg',
  'job',
  'kind',
  'scheduledAt',
  'stream',
  'duration',
  'reason',
  'heldBy',
  'heldUntil',
  'fencingToken',
  'err',
])

/** Makes lines of JSON readable: time, job, what happened. */
export function lineFormatter(colors: Colors): (json: string) => string {
  const paint = [colors.cyan, colors.magenta, colors.yellow, colors.blue, colors.green]
  const seen = new Map<string, number>()
  let width = 0
  return (json) => {
    const line = JSON.parse(json) as Line
    const job = line.job ?? ''
    if (!seen.has(job) && job !== '') seen.set(job, seen.size)
    width = Math.min(24, Math.max(width, job.length))
    const color = paint[(seen.get(job) ?? 0) % paint.length] ?? colors.cyan
    const time = colors.dim(new Date(line.time).toTimeString().slice(0, 8))
    const name = width === 0 ? '' : `${color(job.padEnd(width))} `
    return `${time} ${name}${sentence(line, colors)}\n`
  }
}

function sentence(line: Line, colors: Colors): string {
  const { stream, msg, level } = line
  // A command's output may have colours, and leave them on.
  if (stream !== undefined)
    return `${stream === 'stderr' ? colors.red('│') : colors.dim('│')} ${msg}${msg.includes('\x1b') ? '\x1b[0m' : ''}`
  const tick = line.scheduledAt === undefined ? '' : colors.dim(`  ${tickOf(line)}`)
  if (msg === 'job started') return colors.dim(`started${tick}`)
  if (msg === 'job succeeded') return `${colors.green('✓')} succeeded in ${span(line.duration ?? 0)}${tick}`
  if (msg === 'job failed')
    return `${colors.red(`✗ failed after ${span(line.duration ?? 0)}: ${message(line)}`)}${tick}${stack(line, colors)}`
  if (msg === 'tick skipped') return colors.dim(`skipped: ${skipped(line)}${tick}`)
  const rest = Object.entries(line).filter(([field, value]) => !KNOWN.has(field) && value !== undefined)
  const more = rest.map(
    ([field, value]) => `${field}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )
  const why = [line.reason, line.err && message(line)].filter(Boolean).join(': ')
  const text = `${msg}${why && `: ${why}`}${tick}${more.length > 0 ? colors.dim(`  ${more.join(' ')}`) : ''}`
  if (level >= 50) return colors.red(text)
  if (level >= 40) return colors.yellow(text)
  return level < 30 ? colors.dim(text) : text
}

const message = ({ err }: Line): string => err?.message ?? 'unknown error'

/** Where a function of the user's threw; of a command there is no such place. */
function stack({ err }: Line, colors: Colors): string {
  if (!err?.stack || err.type === 'JobFailedError' || err.type === 'LockLostError') return ''
  const lines = err.stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node:internal|[\\/]ticklock[\\/]dist[\\/]/.test(line))
  return lines.length === 0 ? '' : colors.dim(`\n${lines.slice(0, 5).join('\n')}`)
}

function skipped({ reason, heldBy, heldUntil }: Line): string {
  if (reason === 'running') return 'it still runs here'
  const by = heldBy === undefined ? 'another node' : heldBy
  if (reason === 'tick-taken') return `${by} took this tick`
  return `${by} has the lock${heldUntil === undefined ? '' : ` until ${new Date(heldUntil).toTimeString().slice(0, 8)}`}`
}

function tickOf({ scheduledAt = '', kind }: Line): string {
  const time = new Date(scheduledAt).toTimeString().slice(0, 8)
  return kind === 'trigger' ? 'triggered' : `tick ${time}${kind === 'schedule' ? '' : `, ${kind}`}`
}
