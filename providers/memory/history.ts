import type { RecordedEntry, RecordedNode, RunHistory } from '../../src/provider/history.ts'

/** Keeps history in this process. */
export function memoryHistory(now: () => number): RunHistory {
  const entries = new Map<string, RecordedEntry>()
  const nodes = new Map<string, RecordedNode>()
  const newestFirst = (): RecordedEntry[] => [...entries.values()].sort((a, b) => b.at - a.at)
  return {
    async write(batch, node) {
      const changedAt = now()
      for (const entry of batch) {
        const known = entries.get(entry.id)
        if (!known || entry.outcome !== 'running') entries.set(entry.id, { ...entry, changedAt })
      }
      if (node) nodes.set(node.label, { ...node, seenAt: changedAt })
    },
    async read({ job, from, to, changedSince, outcome, limit }) {
      return newestFirst()
        .filter((entry) => job === undefined || entry.job === job)
        .filter(({ at }) => (from === undefined || at >= from) && (to === undefined || at < to))
        .filter(({ changedAt }) => changedSince === undefined || changedAt >= changedSince)
        .filter((entry) => outcome === undefined || entry.outcome === outcome)
        .slice(0, limit)
    },
    async latest(jobs, count) {
      const counts = new Map(jobs.map((job) => [job, 0]))
      return newestFirst().filter(({ job, outcome }) => {
        const seen = counts.get(job)
        if (seen === undefined || seen >= count || outcome === 'skipped') return false
        counts.set(job, seen + 1)
        return true
      })
    },
    nodes: async () => [...nodes.values()].sort((a, b) => (a.label < b.label ? -1 : 1)),
    async trim({ olderThanMs, most }) {
      const before = now() - olderThanMs
      const kept = [...entries.values()]
        .filter(({ changedAt }) => changedAt >= before)
        .sort((a, b) => b.changedAt - a.changedAt)
        .slice(0, most)
      const dropped = entries.size - kept.length
      entries.clear()
      for (const entry of kept) entries.set(entry.id, entry)
      for (const { label, seenAt } of nodes.values()) if (seenAt < before) nodes.delete(label)
      return dropped
    },
  }
}
