import type { JobPlan, Plan } from '../config/plan.ts'
import { openStore, type StorePlan } from '../config/store.ts'
import { recordHistory } from '../history/index.ts'
import type { Logger } from '../logger.ts'
import type { LockProvider } from '../provider/contract.ts'
import { jobWork } from '../runner/job-work.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { setUpStore } from './set-up-store.ts'

/** What all the schedulers of a plan are made with. */
export type NodeSettings = Pick<Plan, 'label' | 'storeTimeout' | 'maxClockSkew' | 'spread'>

/** This machine's part in one store: a scheduler with the jobs whose locks are there. */
export class StoreNode {
  readonly store: StorePlan
  readonly scheduler: Scheduler
  /** Two nodes with the same key differ in their jobs alone. */
  readonly key: string
  readonly #provider: LockProvider
  readonly #logger: Logger
  readonly #jobs = new Map<string, string>()
  readonly #stopping = new AbortController()

  private constructor(store: StorePlan, provider: LockProvider, settings: NodeSettings, logger: Logger) {
    this.store = store
    this.key = keyOf(store, settings)
    this.#provider = provider
    this.#logger = logger
    const { label, storeTimeout, maxClockSkew, spread } = settings
    this.scheduler = new Scheduler({
      provider,
      logger,
      storeTimeout,
      maxClockSkew,
      spread,
      ...(label !== undefined && { label }),
    })
  }

  /** With `history`, what becomes of the ticks is kept in the store, where it can be. */
  static async open(store: StorePlan, settings: NodeSettings, logger: Logger, history = true): Promise<StoreNode> {
    const node = new StoreNode(store, await openStore(store), settings, logger)
    if (history && node.#provider.history) node.#record()
    return node
  }

  #record(): void {
    let told = false
    recordHistory(this.scheduler, {
      onDropped: (event) => this.#logger.warn(event, 'history was dropped, since the store did not take it'),
      onError: (err) => {
        // Once: the store's failures are told by the scheduler, too.
        if (!told) this.#logger.warn({ err, store: this.store.shown }, 'the store took no history; it is tried again')
        told = true
      },
    })
  }

  /** The names of the jobs that are here. */
  get jobs(): ReadonlySet<string> {
    return new Set(this.#jobs.keys())
  }

  has(job: JobPlan): 'same' | 'changed' | undefined {
    const known = this.#jobs.get(job.name)
    return known === undefined ? undefined : known === JSON.stringify(job) ? 'same' : 'changed'
  }

  /** Adds a job, or puts it in place of the one of that name. A run under way goes on. Its commands do not get the variables that are `withheld`. */
  put(job: JobPlan, withheld: ReadonlySet<string>): void {
    this.remove(job.name)
    this.scheduler.job(job.options, jobWork(job, withheld))
    this.#jobs.set(job.name, JSON.stringify(job))
  }

  remove(name: string): void {
    if (this.#jobs.delete(name)) this.scheduler.remove(name)
  }

  /**
   * Makes what the store needs. A store that can't be reached does not hinder the start: the scheduler asks it again at each tick, and the setup is tried again in
   * the background.
   *
   * @throws {StoreError} when the package of the store's driver is missing: then no later attempt succeeds.
   */
  async setUp(): Promise<void> {
    await setUpStore({
      store: this.store,
      provider: this.#provider,
      logger: this.#logger,
      signal: this.#stopping.signal,
    })
  }

  start(): Promise<void> {
    return this.scheduler.start()
  }

  stop(options: { readonly graceFor: number; readonly abortFor: number }): Promise<void> {
    this.#stopping.abort()
    return this.scheduler.stop(options)
  }
}

export const keyOf = ({ options }: StorePlan, { label, storeTimeout, maxClockSkew, spread }: NodeSettings): string =>
  JSON.stringify({ options, label, storeTimeout, maxClockSkew, spread })
