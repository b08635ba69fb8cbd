/* What the SQL stores share about history: the tables, the rows, and the conditions of a query. Times are ms since the epoch in BIGINT. */
import type { HistoryEntry, HistoryQuery, NodeState, RecordedEntry, RecordedNode } from './history.ts'

/** The columns of an entry in the order in which they are read, but for `changed_at`, which comes last. */
export const ENTRY_COLUMNS = [
  'id',
  'job',
  'node',
  'kind',
  'outcome',
  'scheduled_at',
  'happened_at',
  'duration',
  'fencing_token',
  'reason',
  'error',
] as const

/** The columns that the end of a run changes. */
export const END_COLUMNS = ['outcome', 'duration', 'reason', 'error'] as const

export const NODE_COLUMNS = ['label', 'started_at', 'skew', 'running', 'stopped'] as const

const LONGEST_SUFFIX = '_history'

/** The names of the two tables beside a table of locks; undefined when they would be too long to be kept apart. */
export function historyTables(table: string): { readonly entries: string; readonly nodes: string } | undefined {
  const name = table.split('.').at(-1) ?? ''
  if (name.length + LONGEST_SUFFIX.length > 63) return undefined
  return { entries: `${table}_history`, nodes: `${table}_nodes` }
}

export type EntryRow = Readonly<Record<(typeof ENTRY_COLUMNS)[number] | 'changed_at', unknown>>
export type NodeRow = Readonly<Record<(typeof NODE_COLUMNS)[number] | 'seen_at', unknown>>

/** An entry as a row, in the order of {@link ENTRY_COLUMNS}. */
export const entryValues = (entry: HistoryEntry): (string | number | null)[] => [
  entry.id,
  entry.job,
  entry.node,
  entry.kind,
  entry.outcome,
  Math.round(entry.scheduledAt),
  Math.round(entry.at),
  entry.duration ?? null,
  entry.fencingToken ?? null,
  entry.reason ?? null,
  entry.error ?? null,
]

/** In the order of {@link NODE_COLUMNS}. */
export const nodeValues = (node: NodeState): (string | number)[] => [
  node.label,
  Math.round(node.startedAt),
  Math.round(node.skew),
  node.running,
  node.stopped ? 1 : 0,
]

const number = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)
const text = (value: unknown): string | undefined => (value === null || value === undefined ? undefined : String(value))

export const toEntry = (row: EntryRow): RecordedEntry => ({
  id: String(row.id),
  job: String(row.job),
  node: String(row.node),
  kind: row.kind as RecordedEntry['kind'],
  outcome: row.outcome as RecordedEntry['outcome'],
  scheduledAt: Number(row.scheduled_at),
  at: Number(row.happened_at),
  duration: number(row.duration),
  fencingToken: number(row.fencing_token),
  reason: text(row.reason),
  error: text(row.error),
  changedAt: Number(row.changed_at),
})

export const toNode = (row: NodeRow): RecordedNode => ({
  label: String(row.label),
  startedAt: Number(row.started_at),
  skew: Number(row.skew),
  running: Number(row.running),
  stopped: Number(row.stopped) === 1,
  seenAt: Number(row.seen_at),
})

/** The conditions of a query, each with the value that is bound to it. */
export function conditionsOf(query: HistoryQuery): { readonly sql: string; readonly value: string | number }[] {
  const conditions = [
    { sql: 'job =', value: query.job },
    { sql: 'happened_at >=', value: query.from },
    { sql: 'happened_at <', value: query.to },
    { sql: 'changed_at >=', value: query.changedSince },
    { sql: 'outcome =', value: query.outcome },
  ]
  return conditions.flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]))
}
