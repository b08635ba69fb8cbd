/* What the page knows. */

/** The most entries that the page keeps. */
const MOST_ENTRIES = 4_000

export const model = {
  nodes: new Map(),
  entries: new Map(),
  counts: undefined,
  canAct: false,
  goneAfter: 30_000,
  /** More happened in the time of the timeline than the page was sent. */
  truncated: false,
  /** The stream of events is broken. */
  down: false,
  /** The server's time minus this machine's, in ms. */
  ahead: 0,
  now: () => Date.now() + model.ahead,
}

/** When a node ended, or was last seen if it is gone. Undefined while it lives. */
export const endOf = (node) => (node.stopped || model.now() - node.seenAt > model.goneAfter ? node.seenAt : undefined)

/** A run whose node is gone is not running any more. */
export function outcomeOf(entry) {
  if (entry.outcome !== 'running') return entry.outcome
  const node = model.nodes.get(entry.node)
  if (!node) return 'running'
  return endOf(node) === undefined && node.startedAt <= entry.at + 1_000 ? 'running' : 'vanished'
}

export const vanishedAt = (entry) =>
  Math.max(entry.at, Math.min(model.nodes.get(entry.node)?.seenAt ?? entry.at, model.now()))

/** Takes in what the server sent of the last moments. */
export function learn({ now, counts, entries, nodes }) {
  model.ahead = now - Date.now()
  if (counts) model.counts = counts
  model.nodes = new Map(nodes.map((node) => [node.label, node]))
  for (const entry of entries) model.entries.set(entry.id, entry)
  if (model.entries.size <= MOST_ENTRIES) return
  const byAge = [...model.entries.values()].sort((a, b) => a.at - b.at)
  for (const { id } of byAge.slice(0, byAge.length - MOST_ENTRIES)) model.entries.delete(id)
}
