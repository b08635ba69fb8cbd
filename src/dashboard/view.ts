/* What the page shows, made from schedulers and their stores. */
import type { OverdueEvent } from '../health/index.ts'
import type { RecordedEntry, RecordedNode, RunHistory } from '../provider/history.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { byJob, type JobView, jobView, withoutTime } from './job-view.ts'
import { type Counts, type JobFilter, type JobSort, Overview } from './overview.ts'
import { ofStore } from './store-reads.ts'

/** How many outcomes a job's strip shows, and how many jobs a page of the list has. */
const STRIP = 20
export const PAGE = 50
/** The most entries of a timeline, and of a job's own page. */
const MOST_ENTRIES = 1_200
const MOST_OF_JOB = 300
/** The most nodes that are shown: those seen last. */
const MOST_NODES = 300

export interface JobsQuery {
  readonly search: string
  readonly filter: JobFilter
  readonly sort: JobSort
  readonly descending: boolean
  readonly page: number
}

/** Looks at the schedulers of the moment. */
export class View {
  readonly #schedulers: () => readonly Scheduler[]
  readonly #overview: Overview

  constructor(schedulers: () => readonly Scheduler[], overdue: () => readonly OverdueEvent[] = () => []) {
    this.#schedulers = schedulers
    this.#overview = new Overview(schedulers, overdue)
  }

  /** The scheduler that has a job of this name. */
  schedulerOf(job: string): Scheduler | undefined {
    return this.#schedulers().find((scheduler) => scheduler.has(job))
  }

  now(): number {
    return this.#schedulers()[0]?.now().getTime() ?? Date.now()
  }

  get histories(): RunHistory[] {
    // Two schedulers over one provider have one history.
    return [...new Set(this.#schedulers().flatMap(({ history }) => history ?? []))]
  }

  async counts(): Promise<Counts> {
    await this.#overview.refresh()
    return this.#overview.counts()
  }

  /** One page of the jobs whose names contain a string. */
  async jobs(query: JobsQuery) {
    await this.#overview.refresh()
    const found = this.#overview.select(query)
    const pages = Math.max(1, Math.ceil(found.length / PAGE))
    const page = Math.min(Math.max(1, query.page), pages)
    const names = found.slice((page - 1) * PAGE, page * PAGE)
    const { jobs, historyFailed } = await this.#describe(names)
    const { complete } = this.#overview
    const of = this.#overview.names.length
    const counts = this.#overview.counts()
    return { total: found.length, of, page, pages, counts, complete, historyFailed, jobs }
  }

  async job(name: string) {
    const scheduler = this.schedulerOf(name)
    if (!scheduler) return undefined
    const { history } = scheduler
    const [{ jobs, historyFailed }, entries] = await Promise.all([
      this.#describe([name]),
      history ? ofStore(() => history.read({ job: name, limit: MOST_OF_JOB })).catch(() => []) : [],
    ])
    const { lockAtMostFor, lockAtLeastFor, expectEvery } = scheduler.describe(name)
    const ticks = scheduler.nextTicks(name, 5).map((tick) => tick.getTime())
    const options = { lockAtMostFor, lockAtLeastFor, expectEvery }
    return { ...jobs[0], ...options, historyFailed, ticks, entries: entries.map(withoutTime) }
  }

  /** Reads the lock of a job again after something was done to it. */
  async touch(name: string): Promise<void> {
    const scheduler = this.schedulerOf(name)
    if (!scheduler) return
    const records = await scheduler.readRecords([name])
    this.#overview.touch(name, records)
  }

  /** What happened in the last `span` ms, and what still runs of before. */
  async timeline(span: number) {
    const to = this.now()
    const from = to - span
    const parts = await Promise.all(
      this.histories.map(async (history) => {
        const [recent, running] = await Promise.all([
          ofStore(() => history.read({ from, limit: MOST_ENTRIES })),
          ofStore(() => history.read({ outcome: 'running', limit: MOST_ENTRIES })),
        ])
        return [...recent, ...running]
      }),
    )
    const entries = [...new Map(parts.flat().map((entry) => [entry.id, entry])).values()].sort((a, b) => b.at - a.at)
    const shown = entries.slice(0, MOST_ENTRIES)
    return { from, to, entries: shown.map(withoutTime), truncated: parts.some((part) => part.length >= MOST_ENTRIES) }
  }

  /** The nodes that were seen last, in order of their labels. */
  async nodes(): Promise<RecordedNode[]> {
    const nodes = (await Promise.all(this.histories.map((history) => ofStore(() => history.nodes())))).flat()
    // A node over several stores is in each of them. The newest state counts.
    const newest = new Map(nodes.sort((a, b) => a.seenAt - b.seenAt).map((node) => [node.label, node]))
    return [...newest.values()]
      .sort((a, b) => b.seenAt - a.seenAt)
      .slice(0, MOST_NODES)
      .sort((a, b) => (a.label < b.label ? -1 : 1))
  }

  /** What was written since a time. */
  async changedSince(changedSince: number): Promise<RecordedEntry[]> {
    const read = (history: RunHistory) => ofStore(() => history.read({ changedSince, limit: MOST_ENTRIES }))
    return (await Promise.all(this.histories.map(read))).flat()
  }

  /** The jobs of these names, in their order. A history that fails leaves the strips empty. */
  async #describe(names: readonly string[]): Promise<{ readonly jobs: JobView[]; readonly historyFailed: boolean }> {
    const views = new Map<string, JobView>()
    let { historyFailed } = this.#overview
    for (const scheduler of this.#schedulers()) {
      const own = names.filter((name) => scheduler.has(name))
      if (own.length === 0) continue
      const { history } = scheduler
      const [records, strips] = await Promise.all([
        scheduler.readRecords(own),
        history ? ofStore(() => history.latest(own, STRIP)).catch(() => undefined) : [],
      ])
      historyFailed ||= strips === undefined
      this.#overview.learn(own, records)
      const recordOf = new Map(records.map((record) => [record.name, record]))
      const stripOf = byJob(strips ?? [])
      for (const name of own.filter((each) => scheduler.has(each)))
        views.set(name, jobView(scheduler, name, recordOf.get(name), stripOf.get(name) ?? [], this.#overview))
    }
    return { jobs: names.flatMap((name) => views.get(name) ?? []), historyFailed }
  }
}
