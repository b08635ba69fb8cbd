import type { HistoryEntry, RunHistory } from '../../../../src/provider/history.ts'
import type { Break } from '../breakable-store.ts'
import type { Mutant } from './breaking.ts'

/** A provider whose history is done right but for what is answered here. */
const recording =
  (change: (right: RunHistory) => Partial<RunHistory>): Break =>
  ({ right }) => ({ history: right.history && { ...right.history, ...change(right.history) } })

const writing = (change: (entry: HistoryEntry) => HistoryEntry): Break =>
  recording((right) => ({ write: (entries, node) => right.write(entries.map(change), node) }))

const KEEPS =
  'keeps entries as they were written, whatever their texts, with the time of writing by the clock that decides'
const ASKED = 'answers what is asked for: a job, a time, an outcome, so many of the newest'
const TRIMS = 'drops what is older than it may be, and then the oldest beyond a count'

export const histories: readonly Mutant[] = [
  {
    defect: 'cuts errors',
    caughtBy: KEEPS,
    broken: writing((entry) => ({ ...entry, error: entry.error?.slice(0, 3) })),
  },
  {
    defect: "tells the time of writing by the node's clock",
    caughtBy: KEEPS,
    broken: recording((right) => ({
      read: async (query) => (await right.read(query)).map((entry) => ({ ...entry, changedAt: Date.now() })),
    })),
  },
  {
    defect: 'reads the oldest first',
    caughtBy: KEEPS,
    broken: recording((right) => ({ read: async (query) => [...(await right.read(query))].reverse() })),
  },
  {
    defect: 'lets a late beginning overwrite the end',
    caughtBy: 'of a run that has ended is not overwritten by its beginning, which may come late',
    broken: writing((entry) => (entry.outcome === 'running' ? { ...entry, outcome: 'lost' } : entry)),
  },
  {
    defect: 'takes the end of the time asked for with it',
    caughtBy: ASKED,
    broken: recording((right) => ({
      read: ({ to, ...query }) => right.read({ ...query, to: to === undefined ? undefined : to + 1 }),
    })),
  },
  {
    defect: 'takes no notice of the outcome asked for',
    caughtBy: ASKED,
    broken: recording((right) => ({ read: ({ outcome: _, ...query }) => right.read(query) })),
  },
  {
    defect: 'answers all there is',
    caughtBy: ASKED,
    broken: recording((right) => ({ read: (query) => right.read({ ...query, limit: 10_000 }) })),
  },
  {
    defect: 'takes no notice of the time of writing',
    caughtBy: 'tells what was written since a time, by the clock that decides',
    broken: recording((right) => ({ read: ({ changedSince: _, ...query }) => right.read(query) })),
  },
  {
    defect: 'counts the last entries of all jobs together',
    caughtBy: 'answers the last entries of each of some jobs, but for those that were skipped',
    broken: recording((right) => ({
      latest: async (jobs, count) => (await right.latest(jobs, count)).slice(0, count),
    })),
  },
  {
    defect: 'keeps a hundred entries of a batch',
    caughtBy: 'takes a thousand entries in a batch, and batches of several nodes at once',
    broken: recording((right) => ({ write: (entries, node) => right.write(entries.slice(0, 100), node) })),
  },
  {
    defect: 'keeps the first state of a node',
    caughtBy: 'keeps the state of each node, as it was last written',
    broken: recording((right) => ({
      write: async (entries, node) => {
        const known = (await right.nodes()).some(({ label }) => label === node?.label)
        await right.write(entries, known ? undefined : node)
      },
    })),
  },
  {
    defect: 'trims by age alone',
    caughtBy: TRIMS,
    broken: recording((right) => ({ trim: (bounds) => right.trim({ ...bounds, most: 1_000_000 }) })),
  },
  {
    defect: 'trims by count alone',
    caughtBy: TRIMS,
    broken: recording((right) => ({ trim: (bounds) => right.trim({ ...bounds, olderThanMs: 1e12 }) })),
  },
]
