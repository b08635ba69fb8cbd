import { type JobOptions, Scheduler } from '../../src/index.ts'
import type { Cluster } from './cluster.ts'
import { onRead } from './judge-catch-up-order.ts'
import { listen, onRelease, onRequest, onResult } from './judge-events.ts'
import { notePlan } from './judge-schedule-change.ts'
import { watchStore } from './ledger.ts'
import { Life } from './life.ts'
import { Link } from './network.ts'
import { NodeClock } from './node-clock.ts'
import type { Outage } from './outages.ts'
import { Random } from './random.ts'
import { watchRenewal } from './renewals.ts'
import type { NodeFault, SimulatedJob, SimulatedNode } from './scenario.ts'
import { judgeWaking } from './suspensions.ts'
import { JUMP_FOLLOWED } from './witness.ts'
import { work } from './work.ts'

/** One node: the processes that run on it, one after another, and what befalls them. */
export class Machine {
  readonly node: SimulatedNode
  readonly lives: Life[] = []
  readonly #cluster: Cluster
  readonly #random: Random
  /** The jobs as the next process will register them. */
  readonly #jobs: Map<string, SimulatedJob>

  constructor(cluster: Cluster, node: SimulatedNode) {
    this.node = node
    this.#cluster = cluster
    const { seed, jobs } = cluster.scenario
    this.#random = new Random(seed * 31 + Number.parseInt(node.id.slice(5), 10) * 1009)
    this.#jobs = new Map(jobs.map((job) => [job.options.name, job]))
  }

  start(): void {
    this.#cluster.world.after(this.#random.int(0, 2_000), () => this.#boot())
  }

  /** The process that is up, if one is. */
  get life(): Life | undefined {
    const life = this.lives.at(-1)
    return life && !life.clock.dead ? life : undefined
  }

  suffer(fault: NodeFault): void {
    const { life } = this
    if (!life) return
    switch (fault.kind) {
      case 'jump':
        life.jumps.push(this.#cluster.world.now)
        life.link.doubtTime(JUMP_FOLLOWED)
        life.clock.jump(fault.by)
        break
      case 'trigger':
        if (!life.clock.paused && life.stoppingAt === Number.POSITIVE_INFINITY)
          life.scheduler?.trigger(fault.job).catch(() => {})
        break
      case 'crash':
        this.#end(life, fault.for)
        break
      case 'stop':
        this.#stop(life, fault.for)
        break
      case 'pause':
        life.clock.pause()
        this.#suspend(life, fault, () => life.clock.resume())
        break
      case 'suspend':
        life.clock.suspend()
        this.#suspend(life, fault, () => this.#wake(life))
        break
      case 'cut':
        life.link.cut = true
        this.#suspend(life, fault, () => {
          life.link.cut = false
        })
    }
  }

  /** To the process its wall clock has jumped by as long as the machine slept. */
  #wake(life: Life): void {
    const { world, witness } = this.#cluster
    life.clock.wake()
    life.jumps.push(world.now)
    life.link.doubtTime(JUMP_FOLLOWED)
    judgeWaking(witness, life)
  }

  #suspend(life: Life, fault: NodeFault & { readonly for: number }, resume: () => void): void {
    const { world } = this.#cluster
    const outage: Outage = { from: world.now, until: world.now + fault.for, why: fault.kind }
    life.outages.push(outage)
    world.after(fault.for, () => {
      // Another one of its kind may last longer.
      if (!life.outages.some((each) => each.why === fault.kind && each.until > world.now)) resume()
    })
  }

  /** Removes the job and registers it anew, as a reload of the configuration does. */
  reload(options: JobOptions): void {
    const job = this.#jobs.get(options.name)
    if (!job) return
    this.#jobs.set(options.name, { ...job, options })
    const { life } = this
    life?.clock.deliver(() => {
      if (!life.scheduler || life.stoppingAt !== Number.POSITIVE_INFINITY) return
      life.scheduler.remove(options.name)
      this.#register(life, life.scheduler, { ...job, options })
    })
  }

  #end(life: Life, restartsIn: number): void {
    const { world } = this.#cluster
    life.clock.kill()
    life.diedAt = world.now
    world.after(restartsIn, () => this.#boot())
  }

  #stop(life: Life, restartsIn: number): void {
    life.clock.deliver(() => {
      if (life.stoppingAt !== Number.POSITIVE_INFINITY || !life.scheduler) return
      life.stoppingAt = this.#cluster.world.now
      void life.scheduler.stop({ graceFor: this.#random.int(0, 8_000) }).then(() => {
        if (life.clock.dead) return
        life.stoppedAt = this.#cluster.world.now
        // What ignores its signal goes on until the process is ended.
        this.#cluster.world.after(1, () => life.clock.dead || this.#end(life, restartsIn))
      })
    })
  }

  #boot(): void {
    const { world, state, witness, store, badRecords, scenario } = this.#cluster
    const clock = new NodeClock(world, this.node.wallAhead, this.node.speed)
    const random = new Random(this.#random.int(0, 2 ** 31))
    const life: Life = new Life(
      this.node.id,
      world.now,
      clock,
      new Link({
        world,
        clock,
        random,
        state,
        onAsk: (asked) => onRequest(witness, life, asked),
        onAnswer: (asked, told, after) => onResult(witness, life, asked, told, after),
        onRead: (names, records, after) => onRead(witness, life, names, records, after),
        onExtend: (renewals, answer) => watchRenewal(witness, life, renewals, answer),
        onRelease: (releases) => onRelease(witness, life, releases),
      }),
    )
    this.lives.push(life)
    witness.tell(() => `${this.node.id} starts`)
    const provider = life.link.over(watchStore(witness, life, badRecords.over(store.provider)))
    const scheduler = new Scheduler({ provider, clock, label: this.node.id, random: random.float, logger: false })
    life.scheduler = scheduler
    listen(witness, life, scheduler, this.node.throws)
    for (const { options } of scenario.jobs) {
      const job = this.#jobs.get(options.name)
      if (job) this.#register(life, scheduler, job)
    }
    void scheduler.start()
  }

  #register(life: Life, scheduler: Scheduler, job: SimulatedJob): void {
    const { options } = job
    const versions = life.versions.get(options.name) ?? []
    life.versions.set(options.name, versions)
    versions.push({ options, from: this.#cluster.world.now })
    notePlan(this.#cluster.witness, options)
    scheduler.job(options, work(this.#cluster, life, job, this.#random))
  }
}
