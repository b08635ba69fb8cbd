/* Run history in keys of their own, all in one cluster slot. */
import type {
  HistoryEntry,
  HistoryQuery,
  NodeState,
  RecordedEntry,
  RecordedNode,
  RunHistory,
} from '../../src/provider/history.ts'
import type { ClientSource } from './connect.ts'
import { HISTORY_NODES, LATEST_HISTORY, READ_HISTORY, TRIM_HISTORY, WRITE_HISTORY } from './lua/history.ts'
import { evaluate } from './script-runner.ts'
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
const baseOf = (prefix: string): string => `:history:{${prefix}}`

export function redisHistory(prefix: string, source: ClientSource): RunHistory {
  const base = baseOf(prefix)
  const run = async (which: Script, ...args: string[]): Promise<unknown> =>
    evaluate(await source.get(), which, 1, [`${base}entries`, base, ...args])

  const read = async (query: HistoryQuery): Promise<RecordedEntry[]> => {
    const { set, min, max } = placeOf(query)
    const found: RecordedEntry[] = []
    for (let offset = 0; found.length < query.limit; offset += PAGE) {
      const page = entriesIn(await run(scripts.read, set, min, max, String(offset), String(PAGE)))
      found.push(...page.filter((entry) => fits(entry, query)))
      if (page.length < PAGE) break
    }
    return found.sort((a, b) => b.at - a.at).slice(0, query.limit)
  }

  return {
    async write(entries, node) {
      const label = node ? [node.label, JSON.stringify(node)] : ['', '']
      for (let from = 0; from === 0 || from < entries.length; from += PAGE) {
        const told = entries.slice(from, from + PAGE).flatMap(argsOf)
        await run(scripts.write, ...(from === 0 ? label : ['', '']), ...told)
      }
    },
    read,
    latest: async (jobs, count) => entriesIn(await run(scripts.latest, String(count), ...jobs)),
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

const argsOf = (entry: HistoryEntry): string[] => [
  entry.id,
  entry.job,
  entry.outcome,
  String(Math.round(entry.at)),
  JSON.stringify(entry),
]

/** The set in which a query finds what it asks for, and little else. */
function placeOf({ job, from, to, changedSince, outcome }: HistoryQuery): { set: string; min: string; max: string } {
  const min = from === undefined ? '-inf' : String(from)
  const max = to === undefined ? '+inf' : `(${to}`
  if (outcome === 'running') return { set: 'running', min, max }
  if (job !== undefined) return { set: `job:${job}`, min, max }
  if (changedSince !== undefined) return { set: 'changed', min: String(changedSince), max: '+inf' }
  return { set: 'time', min, max }
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

const entriesIn = (reply: unknown): RecordedEntry[] =>
  pairsOf(reply).map(([json, changedAt]) => ({ ...(JSON.parse(json) as HistoryEntry), changedAt: Number(changedAt) }))

const nodesIn = (reply: unknown): RecordedNode[] =>
  pairsOf(reply)
    .map(([, value]) => {
      const cut = value.indexOf('|')
      return { ...(JSON.parse(value.slice(cut + 1)) as NodeState), seenAt: Number(value.slice(0, cut)) }
    })
    .sort((a, b) => (a.label < b.label ? -1 : 1))
