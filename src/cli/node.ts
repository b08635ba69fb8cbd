import { setTimeout as sleep } from 'node:timers/promises'
import type { JobPlan, Plan } from '../config/plan.ts'
import { openStore, type StorePlan } from '../config/store.ts'
import { workOf } from '../config/work/work-of.ts'
import { recordHistory } from '../history/index.ts'
import type { Logger } from '../logger.ts'
import type { LockProvider } from '../provider/contract.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { failureOf } from './locks.ts'

/** What all the schedulers of a plan are made with. */
export type NodeSettings = Pick<Plan, 'label' | 'storeTimeout' | 'maxClockSkew'>

/** How long the first setup of a store is waited for before the jobs start without it. */
const SETUP_PATIENCE = 5_000
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000

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
    const { label, storeTimeout, maxClockSkew } = settings
    this.scheduler = new Scheduler({
      provider,
      logger,
      storeTimeout,
      maxClockSkew,
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
    this.scheduler.job(job.options, workOf(job, withheld))
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
    // Referenced: where nothing else is under way, the process would end here with code 0.
    const waited = new AbortController()
    const patience = sleep(SETUP_PATIENCE, undefined, { signal: waited.signal }).catch(() => {})
    await Promise.race([this.#setUpUntilDone(), patience]).finally(() => waited.abort())
  }

  start(): Promise<void> {
    return this.scheduler.start()
  }

  stop(options: { readonly graceFor: number; readonly abortFor: number }): Promise<void> {
    this.#stopping.abort()
    return this.scheduler.stop(options)
  }

  async #setUpUntilDone(): Promise<void> {
    const { signal } = this.#stopping
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        // A store that needs no setup is reached all the same, so that a missing driver shows.
        await (this.#provider.setup ? this.#provider.setup() : this.#provider.read(['ticklock']))
        return
      } catch (err) {
        if (signal.aborted) return
        if (isDriverMissing(err)) throw failureOf(this.store, err)
        this.#logger.warn({ err, store: this.store.shown }, 'the store could not be set up; it is tried again')
        await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
      }
    }
  }
}

const isDriverMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(
    ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '',
  )

export const keyOf = ({ options }: StorePlan, { label, storeTimeout, maxClockSkew }: NodeSettings): string =>
  JSON.stringify({ options, label, storeTimeout, maxClockSkew })
