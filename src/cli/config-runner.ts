import type { JobPlan, Plan } from '../config/plan.ts'
import type { Logger } from '../logger.ts'
import { namesOfStoreUrls } from '../runner/child-environment.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { keyOf, StoreNode } from './node.ts'

/** What a plan that is taken over changes. Names of jobs. */
export interface Changes {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  readonly unchanged: readonly string[]
}

const NOTHING: Changes = { added: [], changed: [], removed: [], unchanged: [] }

/** What runs have, beyond the time that a process gets from SIGTERM to SIGKILL, to end and to give their locks back. In ms. */
const MARGIN = 2_000

/** Runs the jobs of a plan, and takes over another plan without touching what stays the same. */
export class Runner {
  readonly #logger: Logger
  readonly #history: boolean
  readonly #onScheduler: ((scheduler: Scheduler) => void)[] = []
  readonly #nodes = new Map<string, StoreNode>()
  /** Nodes whose store was taken out, with runs that go on. */
  readonly #leaving = new Set<Promise<void>>()
  /** The variables that commands do not get. */
  readonly #withheld = new Set<string>()
  #plan: Plan | undefined
  #stopped = false

  constructor(logger: Logger, options: { readonly history: boolean } = { history: true }) {
    this.#logger = logger
    this.#history = options.history
  }

  /** The schedulers of the moment, one for each store. */
  get schedulers(): Scheduler[] {
    return [...this.#nodes.values()].map(({ scheduler }) => scheduler)
  }

  /** Calls back with each scheduler that is made from now on, before it starts. */
  onScheduler(listener: (scheduler: Scheduler) => void): void {
    this.#onScheduler.push(listener)
  }

  /** Starts the plan's jobs, or changes those that run to what the plan says. Runs under way go on in any case. */
  async apply(plan: Plan): Promise<Changes> {
    const before = this.#everyJob()
    const jobs = plan.jobs.filter(({ enabled }) => enabled)
    const changes = compare(before, jobs)
    const fresh = await this.#openNodes(plan, jobs)
    if (this.#stopped) {
      await Promise.all([...fresh.values()].map((node) => node.stop({ graceFor: 0, abortFor: 0 })))
      return NOTHING
    }
    for (const [name, node] of this.#nodes) {
      const own = new Set(jobs.filter(({ store }) => store === name).map((job) => job.name))
      // First all that go, then all that come: a job may move from one store to another.
      if (own.size === 0 || fresh.has(name)) this.#leave(name, node)
      else for (const job of node.jobs) if (!own.has(job)) node.remove(job)
    }
    for (const [name, node] of fresh) this.#nodes.set(name, node)
    this.#withhold(plan)
    for (const job of jobs) {
      const node = this.#nodes.get(job.store)
      if (node && node.has(job) !== 'same') node.put(job, this.#withheld)
    }
    this.#plan = plan
    await Promise.all([...fresh.values()].map((node) => node.start()))
    return changes
  }

  /** Begins nothing any more, waits for the runs, ends those that take longer than the grace, gives the locks back. */
  async stop(): Promise<void> {
    this.#stopped = true
    const options = stopOptions(this.#plan)
    await Promise.all([...[...this.#nodes.values()].map((node) => node.stop(options)), ...this.#leaving])
  }

  /** Nodes for the stores that are new, or no longer the same. */
  async #openNodes(plan: Plan, jobs: readonly JobPlan[]): Promise<Map<string, StoreNode>> {
    const wanted = plan.stores.filter(({ name }) => jobs.some(({ store }) => store === name))
    const fresh = wanted.filter((store) => this.#nodes.get(store.name)?.key !== keyOf(store, plan))
    const nodes = await Promise.all(fresh.map((store) => StoreNode.open(store, plan, this.#logger, this.#history)))
    for (const { scheduler } of nodes) for (const listener of this.#onScheduler) listener(scheduler)
    try {
      await Promise.all(nodes.map((node) => node.setUp()))
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop({ graceFor: 0, abortFor: 0 })))
      throw error
    }
    return new Map(nodes.map((node) => [node.store.name, node]))
  }

  /** Commands do not get the URLs of stores, unless their `env` says so. */
  #withhold({ stores }: Plan): void {
    const found = namesOfStoreUrls(process.env, stores).filter((name) => !this.#withheld.has(name))
    for (const name of found) this.#withheld.add(name)
    if (found.length > 0)
      this.#logger.info(
        {},
        `commands do not get ${found.join(', ')}, which is the URL of a store; one that needs it gets it by env: { ${found[0]}: "\${${found[0]}}" }`,
      )
  }

  #leave(name: string, node: StoreNode): void {
    this.#nodes.delete(name)
    const left: Promise<void> = node.stop(stopOptions(this.#plan)).finally(() => this.#leaving.delete(left))
    this.#leaving.add(left)
  }

  #everyJob(): JobPlan[] {
    return this.#plan?.jobs.filter(({ enabled }) => enabled) ?? []
  }
}

/** Processes have the time from SIGTERM to SIGKILL of the most patient job. */
function stopOptions(plan: Plan | undefined): { readonly graceFor: number; readonly abortFor: number } {
  const killDelays = (plan?.jobs ?? []).map(({ action }) => ('killAfter' in action ? action.killAfter : 0))
  return { graceFor: plan?.stopGraceFor ?? 0, abortFor: Math.max(0, ...killDelays) + MARGIN }
}

function compare(before: readonly JobPlan[], after: readonly JobPlan[]): Changes {
  const known = new Map(before.map((job) => [job.name, JSON.stringify(job)]))
  const names = new Set(after.map(({ name }) => name))
  const is = (wanted: 'same' | 'changed' | 'new') =>
    after
      .filter((job) => {
        const old = known.get(job.name)
        return wanted === (old === undefined ? 'new' : old === JSON.stringify(job) ? 'same' : 'changed')
      })
      .map(({ name }) => name)
  return {
    added: is('new'),
    changed: is('changed'),
    unchanged: is('same'),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
  }
}
