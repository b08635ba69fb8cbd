/* Run history in keys of its own, all in one cluster slot. */
import type {
  HistoryEntry,
  HistoryQuery,
  NodeState,
  RecordedEntry,
  RecordedNode,
  RunHistory,
} from '../../src/provider/history.ts'
import { HISTORY_NODES, LATEST_HISTORY, READ_HISTORY, TRIM_HISTORY, WRITE_HISTORY } from './lua/history.ts'
import type { ScriptRunner } from './script-runner.ts'
import { type Script, script } from './scripts.ts'

const scripts = {
  write: script(WRITE_HISTORY),
  read: script(READ_HISTORY),
  latest: script(LATEST_HISTORY),
  nodes: script(HISTORY_NODES),
  trim: script(TRIM_HISTORY),
}

/** How many entries one script call reads or drops: while it runs, Redis serves nobody else. */
const PAGE = 500

/**
 * Keys that begin with a colon are no lock's, since no prefix does. The braces are one hash tag, also where the prefix has one of its own: that ends then at
 * the prefix's first brace, for all keys alike.
 */
const keysOf = (prefix: string): string[] =>
  ['entries', 'changed', 'time', 'running', 'jobs', 'last', 'nodes'].map((part) => `:history:{${prefix}}${part}`)

/** Their places among the keys. */
const [CHANGED, TIME, RUNNING, JOBS] = [2, 3, 4, 5]

export function redisHistory(prefix: string, runner: ScriptRunner): RunHistory {
  const keys = keysOf(prefix)
  const run = (which: Script, ...args: string[]): Promise<unknown> => runner.runOn(which, keys, args)

  return {
    async write(entries, node) {
      const state = node ? [node.label, JSON.stringify(node)] : ['', '']
      for (let from = 0; from === 0 || from < entries.length; from += PAGE) {
        const given = entries.slice(from, from + PAGE).flatMap(argsOf)
        await run(scripts.write, ...(from === 0 ? state : ['', '']), ...given)
      }
    },
    async read(query) {
      const found: RecordedEntry[] = []
      for (let offset = 0; found.length < query.limit; offset += PAGE) {
        const reply = await run(scripts.read, ...rangeOf(query), String(offset), String(PAGE))
        const [count, page] = reply as [number | string, unknown]
        found.push(...entriesIn(page).filter((entry) => fits(entry, query)))
        if (Number(count) < PAGE) break
      }
      return found.sort((a, b) => b.at - a.at).slice(0, query.limit)
    },
    latest: async (jobs, count) =>
      entriesIn(await run(scripts.latest, String(count), ...jobs.flatMap((job) => boundsOf(job)))),
    nodes: async () => nodesIn(await run(scripts.nodes)),
    async trim({ olderThanMs, most }) {
      for (let dropped = 0; ; ) {
        const now = Number(await run(scripts.trim, String(olderThanMs), String(most), String(PAGE)))
        dropped += now
        if (now < PAGE) return dropped
      }
    },
  }
}

const digits = (ms: number): string => String(Math.max(0, ms)).padStart(16, '0')

/** By the name's length no job's members begin as another's. */
const placeOf = (job: string): string => `${job.length}:${job}:`

const argsOf = (entry: HistoryEntry): string[] => {
  const at = Math.round(entry.at)
  return [`${placeOf(entry.job)}${digits(at)}:${entry.id}`, entry.outcome, String(at), JSON.stringify(entry)]
}

/** The bounds of a job's members, greatest and least, a little wider than the times. */
function boundsOf(job: string, from?: number, to?: number): [greatest: string, least: string] {
  const place = placeOf(job)
  const end = to === undefined ? ':' : digits(Math.ceil(to) + 1)
  return [`(${place}${end}`, `[${place}${from === undefined ? '' : digits(Math.floor(from))}`]
}

/** The range in which a query finds its rows, and little else. */
function rangeOf({ job, from, to, changedSince, outcome }: HistoryQuery): string[] {
  const [greatest, least] = [to === undefined ? '+inf' : `(${to}`, from === undefined ? '-inf' : String(from)]
  if (outcome === 'running') return [String(RUNNING), 'SCORE', greatest, least]
  if (job !== undefined) return [String(JOBS), 'LEX', ...boundsOf(job, from, to)]
  if (changedSince !== undefined) return [String(CHANGED), 'SCORE', '+inf', String(changedSince)]
  return [String(TIME), 'SCORE', greatest, least]
}

const fits = (entry: RecordedEntry, { job, from, to, changedSince, outcome }: HistoryQuery): boolean =>
  (job === undefined || entry.job === job) &&
  (from === undefined || entry.at >= from) &&
  (to === undefined || entry.at < to) &&
  (changedSince === undefined || entry.changedAt >= changedSince) &&
  (outcome === undefined || entry.outcome === outcome)

const pairsOf = (reply: unknown): [string, string][] => {
  const list = reply as string[]
  return list.flatMap((value, index) => (index % 2 === 0 ? [[value, list[index + 1] ?? ''] as [string, string]] : []))
}

/** Goes past what is no JSON of an object. */
function objectIn<Value>(json: string): Partial<Value> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

const entriesIn = (reply: unknown): RecordedEntry[] =>
  pairsOf(reply).flatMap(([json, changedAt]) => {
    const entry = objectIn<HistoryEntry>(json)
    const isEntry = typeof entry?.id === 'string' && typeof entry.job === 'string' && typeof entry.at === 'number'
    return isEntry ? [{ ...(entry as HistoryEntry), changedAt: Number(changedAt) }] : []
  })

const nodesIn = (reply: unknown): RecordedNode[] =>
  pairsOf(reply)
    .flatMap(([label, value]) => {
      const cut = value.indexOf('|')
      const state = objectIn<NodeState>(value.slice(cut + 1))
      return state ? [{ ...(state as NodeState), label, seenAt: Number(value.slice(0, cut)) }] : []
    })
    .sort((a, b) => (a.label < b.label ? -1 : 1))
