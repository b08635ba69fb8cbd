/* What the page is told, made from schedulers and their stores. */
import type { LockRecord } from '../provider/contract.ts'
import type { RecordedEntry, RecordedNode, RunHistory } from '../provider/history.ts'
import { labelOf } from '../provider/holder.ts'
import { isUnreadable } from '../provider/record.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { wordsOf } from '../words/schedule-words.ts'

/** How many outcomes a job's strip shows, and how many jobs a page of the list has. */
const STRIP = 20
export const PAGE = 50
/** The most entries of a timeline, and of a job's own page. */
const MOST_ENTRIES = 1_200
const MOST_OF_JOB = 300
/** The records of all jobs, for a filter, may be so old, in ms. */
const RECORDS_FOR = 2_000

export type JobFilter = 'all' | 'running' | 'paused' | 'failing'

export interface JobView {
  readonly name: string
  readonly schedule: string
  readonly pattern: string
  /** Ms since the epoch, as all times here. */
  readonly next: number | undefined
  readonly metadata: string | undefined
  readonly paused: boolean
  readonly canPause: boolean
  readonly holder: string | undefined
  readonly heldUntil: number | undefined
  readonly lastTick: number | undefined
  readonly strip: readonly EntryView[]
}

/** An entry without what the page doesn't need. */
export type EntryView = Omit<RecordedEntry, 'changedAt'>

const withoutTime = ({ changedAt: _, ...entry }: RecordedEntry): EntryView => entry

/** Looks at the schedulers of the moment. */
export class View {
  readonly #schedulers: () => readonly Scheduler[]
  #records:
    | { readonly at: number; readonly paused: ReadonlySet<string>; readonly held: ReadonlySet<string> }
    | undefined

  constructor(schedulers: () => readonly Scheduler[]) {
    this.#schedulers = schedulers
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
    return [...new Set(this.#schedulers().flatMap(({ provider }) => provider.history ?? []))]
  }

  /** One page of the jobs whose names contain a text, in order of their names. */
  async jobs(query: { readonly search: string; readonly filter: JobFilter; readonly page: number }) {
    const search = query.search.toLowerCase()
    const all = this.#schedulers().flatMap(({ jobs }) => jobs)
    const wanted = await this.#filtered(query.filter, all)
    const found = wanted.filter((name) => name.toLowerCase().includes(search)).sort(byText)
    const pages = Math.max(1, Math.ceil(found.length / PAGE))
    const page = Math.min(Math.max(1, query.page), pages)
    const names = found.slice((page - 1) * PAGE, page * PAGE)
    return { total: found.length, of: all.length, page, pages, jobs: await this.#describe(names, STRIP) }
  }

  async job(name: string) {
    const scheduler = this.schedulerOf(name)
    if (!scheduler) return undefined
    const [job] = await this.#describe([name], STRIP)
    const entries = (await scheduler.provider.history?.read({ job: name, limit: MOST_OF_JOB })) ?? []
    const { lockAtMostFor, lockAtLeastFor, expectEvery } = scheduler.describe(name)
    const ticks = scheduler.nextTicks(name, 5).map((tick) => tick.getTime())
    return { ...job, lockAtMostFor, lockAtLeastFor, expectEvery, ticks, entries: entries.map(withoutTime) }
  }

  /** What happened in the last `span` ms, and what still runs of before. */
  async timeline(span: number) {
    const to = this.now()
    const from = to - span
    const parts = await Promise.all(
      this.histories.map(async (history) => {
        const [recent, running] = await Promise.all([
          history.read({ from, limit: MOST_ENTRIES }),
          history.read({ outcome: 'running', limit: MOST_ENTRIES }),
        ])
        return [...recent, ...running]
      }),
    )
    const entries = [...new Map(parts.flat().map((entry) => [entry.id, entry])).values()].sort((a, b) => b.at - a.at)
    const shown = entries.slice(0, MOST_ENTRIES)
    return { from, to, entries: shown.map(withoutTime), truncated: parts.some((part) => part.length >= MOST_ENTRIES) }
  }

  async nodes(): Promise<RecordedNode[]> {
    const nodes = (await Promise.all(this.histories.map((history) => history.nodes()))).flat()
    // A node over several stores is told by each: the freshest counts.
    const freshest = new Map(nodes.sort((a, b) => a.seenAt - b.seenAt).map((node) => [node.label, node]))
    return [...freshest.values()].sort((a, b) => byText(a.label, b.label))
  }

  /** What was written since a time. */
  async changedSince(since: number): Promise<RecordedEntry[]> {
    const asked = this.histories.map((history) => history.read({ changedSince: since, limit: MOST_ENTRIES }))
    return (await Promise.all(asked)).flat()
  }

  async #describe(names: readonly string[], count: number): Promise<JobView[]> {
    const views: JobView[] = []
    for (const scheduler of this.#schedulers()) {
      const own = names.filter((name) => scheduler.has(name))
      if (own.length === 0) continue
      const { provider } = scheduler
      const [records, strips] = await Promise.all([provider.read(own), provider.history?.latest(own, count) ?? []])
      const recordOf = new Map(
        records.flatMap((record) => (isUnreadable(record) ? [] : [[record.name, record] as const])),
      )
      const stripOf = grouped(strips)
      for (const name of own) views.push(viewOf(scheduler, name, recordOf.get(name), stripOf.get(name) ?? []))
    }
    return views.sort((a, b) => byText(a.name, b.name))
  }

  async #filtered(filter: JobFilter, all: readonly string[]): Promise<readonly string[]> {
    if (filter === 'all') return all
    if (filter === 'failing') {
      const parts = await Promise.all(
        this.histories.map(async (history) => {
          const failed = await history.read({ outcome: 'failed', from: this.now() - 86_400_000, limit: MOST_ENTRIES })
          const latest = await history.latest([...new Set(failed.map(({ job }) => job))].slice(0, 500), 1)
          return latest.filter(({ outcome }) => outcome !== 'succeeded').map(({ job }) => job)
        }),
      )
      const failing = new Set(parts.flat())
      return all.filter((name) => failing.has(name))
    }
    const records = await this.#everyRecord()
    const wanted = filter === 'paused' ? records.paused : records.held
    return all.filter((name) => wanted.has(name))
  }

  async #everyRecord() {
    if (this.#records && Date.now() - this.#records.at < RECORDS_FOR) return this.#records
    const all = (await Promise.all(this.#schedulers().map(({ provider }) => provider.read()))).flat()
    const records = all.flatMap((record) => (isUnreadable(record) ? [] : [record]))
    const paused = new Set(records.flatMap((record) => (record.paused ? [record.name] : [])))
    const held = new Set(records.flatMap((record) => (isHeld(record) ? [record.name] : [])))
    this.#records = { at: Date.now(), paused, held }
    return this.#records
  }
}

function viewOf(
  scheduler: Scheduler,
  name: string,
  record: LockRecord | undefined,
  strip: readonly RecordedEntry[],
): JobView {
  const { cron, timezone, every, nextTick, metadata } = scheduler.describe(name)
  const held = record !== undefined && isHeld(record)
  return {
    name,
    schedule: wordsOf({ cron, timezone, every }),
    pattern: cron === undefined ? `every ${every} ms` : `${cron} (${timezone})`,
    next: nextTick?.getTime(),
    metadata,
    paused: record?.paused ?? false,
    canPause: scheduler.provider.setPaused !== undefined,
    holder: held ? labelOf(record.lockedBy) : undefined,
    heldUntil: held ? record.lockUntil : undefined,
    lastTick: record?.lastTick,
    strip: strip.map(withoutTime).reverse(),
  }
}

const isHeld = ({ lockUntil, storeTime }: LockRecord): boolean => lockUntil > storeTime
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function grouped(entries: readonly RecordedEntry[]): Map<string, RecordedEntry[]> {
  const groups = new Map<string, RecordedEntry[]>()
  for (const entry of entries) {
    const group = groups.get(entry.job)
    if (group) group.push(entry)
    else groups.set(entry.job, [entry])
  }
  return groups
}
