import { memory } from '../../providers/memory/index.ts'
import { Scheduler } from '../../src/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { judgeLiveness } from './liveness.ts'
import { Link } from './network.ts'
import { NodeClock } from './node-clock.ts'
import { Random } from './random.ts'
import type { Fault, Scenario, SimulatedJob } from './scenario.ts'
import { type Violation, Witness } from './witness.ts'
import { World } from './world.ts'

export interface Result {
  readonly violations: readonly Violation[]
  /** Ticks that were due. */
  readonly due: number
  /** Of these, ticks that ran. */
  readonly run: number
  /** Runs, those of a crashed tick on another node included. */
  readonly runs: number
}

/** A process of the cluster, from its start to its crash. */
export interface Life {
  readonly clock: NodeClock
  readonly link: Link
  readonly bornAt: number
}

/** When something could not work, as spans of true time. */
export interface Outage {
  readonly from: number
  readonly until: number
}

/** The real scheduler, locks and keep-alive on simulated machines, network and store, as the scenario has it. */
export async function runScenario(scenario: Scenario): Promise<Result> {
  const world = new World(scenario.start)
  const witness = new Witness(world, scenario)
  const cluster = new Cluster(scenario, world, witness)
  cluster.start()
  for (const fault of scenario.faults) world.after(fault.at, () => cluster.suffer(fault))
  await world.run(scenario.start + scenario.length, () => witness.violations.length > 0)
  const liveness = witness.violations.length > 0 ? { due: 0, run: 0 } : judgeLiveness(scenario, witness, cluster)
  return { violations: witness.violations, ...liveness, runs: witness.runs.length }
}

/** The machines, and what befalls them. */
export class Cluster {
  readonly #scenario: Scenario
  readonly #world: World
  readonly #witness: Witness
  readonly #reach = { storeUp: true }
  readonly #raw: LockProvider
  readonly #store: LockProvider
  readonly #random: Random
  #storeDownUntil = 0
  /** Each node's processes, the last one alive. */
  readonly lives: Life[][]
  /** When each node was not fit to run ticks. */
  readonly unfit: Outage[][]
  readonly storeDown: Outage[] = []

  constructor(scenario: Scenario, world: World, witness: Witness) {
    this.#scenario = scenario
    this.#world = world
    this.#witness = witness
    this.#random = new Random(scenario.seed ^ 0x5eed)
    this.#raw = memory({ now: () => world.now })
    this.#store = witness.over(this.#raw)
    this.lives = scenario.nodes.map(() => [])
    this.unfit = scenario.nodes.map(() => [])
  }

  start(): void {
    for (const [index] of this.#scenario.nodes.entries())
      this.#world.after(this.#random.int(0, 2_000), () => this.#boot(index))
  }

  suffer(fault: Fault): void {
    if (fault.kind === 'store-down') this.#storeDown(fault.for)
    else if (fault.kind === 'force-release') this.#forceRelease(fault.job)
    else this.#sufferAt(fault)
  }

  #sufferAt(fault: Exclude<Fault, { kind: 'store-down' | 'force-release' }>): void {
    const life = this.lives[fault.node]?.at(-1)
    if (!life || life.clock.dead) return
    if (fault.kind === 'jump') {
      life.clock.jump(fault.by)
      return
    }
    this.unfit[fault.node]?.push({ from: this.#world.now, until: this.#world.now + fault.for })
    if (fault.kind === 'crash') {
      life.clock.kill()
      this.#world.after(fault.for, () => this.#boot(fault.node))
    } else if (fault.kind === 'pause') {
      life.clock.pause()
      this.#world.after(fault.for, () => life.clock.resume())
    } else {
      life.link.cut = true
      this.#world.after(fault.for, () => {
        life.link.cut = false
      })
    }
  }

  #storeDown(ms: number): void {
    this.#reach.storeUp = false
    const until = this.#world.now + ms
    this.storeDown.push({ from: this.#world.now, until })
    this.#storeDownUntil = Math.max(this.#storeDownUntil, until)
    this.#world.after(ms, () => {
      if (this.#world.now >= this.#storeDownUntil) this.#reach.storeUp = true
    })
  }

  #forceRelease(index: number): void {
    const name = `job-${index}`
    this.#witness.forced(name)
    void this.#raw.forceRelease(name)
  }

  #boot(index: number): void {
    const { nodes, weather, jobs, seed } = this.#scenario
    const node = nodes[index]
    const lives = this.lives[index]
    if (!node || !lives) return
    const clock = new NodeClock(this.#world, node.wallAhead, node.speed)
    const random = new Random(seed * 31 + index * 1009 + lives.length)
    const link = new Link(this.#world, clock, random, weather, this.#reach)
    lives.push({ clock, link, bornAt: this.#world.now })
    const label = `node-${index}`
    const provider = link.over(this.#store)
    const scheduler = new Scheduler({ provider, clock, label, random: random.float })
    for (const job of jobs) this.#register(scheduler, job, label, clock, random)
    void scheduler.start()
  }

  #register(
    scheduler: Scheduler,
    { options, takes }: SimulatedJob,
    label: string,
    clock: NodeClock,
    random: Random,
  ): void {
    const kinds = new Map<string, string>()
    scheduler.on('started', ({ job, kind }) => void kinds.set(job, kind))
    scheduler.job(options, async (context) => {
      const run = this.#witness.began(context, kinds.get(context.name) ?? '', label, clock)
      if (takes > 0) await new Promise<void>((resolve) => void clock.setTimer(random.int(1, takes), resolve))
      this.#witness.ended(run)
    })
  }
}
