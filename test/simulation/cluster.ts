import type { JobOptions } from '../../src/index.ts'
import { Machine } from './machine.ts'
import type { StoreState } from './network.ts'
import type { Outage } from './outages.ts'
import { Random } from './random.ts'
import type { Fault, JobFault, RecordFault, Scenario, StoreFault, Weather } from './scenario.ts'
import { BadRecords, type SimulatedStore, simulatedStore } from './stores/index.ts'
import type { Witness } from './witness.ts'
import type { World } from './world.ts'

const FINE: Weather = { lostRequest: 0, lostReply: 0, slow: 0 }

/** The machines, the network between them and the store, and what befalls them all. */
export class Cluster {
  readonly scenario: Scenario
  readonly world: World
  readonly witness: Witness
  readonly state: { -readonly [Key in keyof StoreState]: StoreState[Key] }
  readonly store: SimulatedStore
  readonly badRecords: BadRecords
  readonly machines: ReadonlyMap<string, Machine>
  /** When the store was down or slow. */
  readonly outages: Outage[] = []
  readonly #random: Random
  readonly #newest = new Map<string, JobOptions>()

  constructor(scenario: Scenario, world: World, witness: Witness) {
    this.scenario = scenario
    this.world = world
    this.witness = witness
    this.#random = new Random(scenario.seed ^ 0x5eed)
    this.state = { up: true, slowBy: 0, connections: 0, weather: scenario.weather }
    this.store = simulatedStore(scenario.store, {
      now: () => world.now,
      random: this.#random.float,
      persistence: 'always',
    })
    this.badRecords = new BadRecords(this.store)
    this.machines = new Map(scenario.nodes.map((node) => [node.id, new Machine(this, node)]))
    witness.storeOutages = this.outages
  }

  get end(): number {
    return this.scenario.start + this.scenario.length
  }

  start(): void {
    const { world, scenario } = this
    for (const machine of this.machines.values()) machine.start()
    for (const fault of scenario.faults) world.after(fault.at, () => this.#suffer(fault))
    world.after(scenario.calmAfter, () => {
      this.state.weather = FINE
    })
  }

  #suffer(fault: Fault): void {
    this.witness.tell(() => `- ${JSON.stringify(fault)}`)
    switch (fault.kind) {
      case 'store-down':
      case 'store-slow':
      case 'store-restart':
      case 'store-failover':
        this.#sufferInStore(fault)
        break
      case 'record-locked':
      case 'record-poisoned':
        this.#sufferInRecord(fault)
        break
      case 'force-release':
      case 'reload':
        this.#sufferInJob(fault)
        break
      default:
        this.machines.get(fault.node)?.suffer(fault)
    }
  }

  #sufferInStore(fault: StoreFault): void {
    const { world, state, outages } = this
    const length = 'for' in fault ? fault.for : 1
    outages.push({ from: world.now, until: world.now + length, why: fault.kind })
    const lasts = (): boolean => outages.some((each) => each.why === fault.kind && each.until > world.now)
    if (fault.kind === 'store-down') {
      state.up = false
      world.after(length, () => {
        state.up = !lasts()
      })
    } else if (fault.kind === 'store-slow') {
      state.slowBy = fault.by
      // What was sent while it was slow may take until then.
      outages.push({ from: world.now, until: world.now + length + 2 * fault.by, why: 'slow messages' })
      world.after(length, () => {
        if (!lasts()) state.slowBy = 0
      })
    } else {
      state.connections++
      if (fault.kind === 'store-restart') this.store.restart()
      else {
        this.store.failover?.(fault.lost)
        if (fault.lost > 0) this.witness.forgot(world.now - fault.lost)
      }
    }
  }

  #sufferInRecord(fault: RecordFault): void {
    const { world, badRecords, witness } = this
    const { job, kind } = fault
    const file = witness.file(job)
    // One that nobody asked for yet has no record, and an early tick is not to be forgotten by a repair.
    if (file.highestToken === 0 || file.holding.lastTick > world.now || badRecords.has(job)) return
    file.outages.push({ from: world.now, until: world.now + fault.for, why: kind })
    if (kind === 'record-locked') badRecords.lock(job)
    else badRecords.poison(job, fault.value)
    world.after(fault.for, () => {
      if (kind === 'record-locked') return badRecords.unlock(job)
      const repaired = badRecords.repair(job)
      if (repaired) witness.repaired(job, repaired)
    })
  }

  #sufferInJob(fault: Exclude<JobFault, RecordFault>): void {
    if (fault.kind === 'force-release') {
      if (this.badRecords.has(fault.job)) return
      this.witness.forced(fault.job)
      void this.store.provider.forceRelease(fault.job)
      return
    }
    this.#newest.set(fault.job, fault.options)
    for (const machine of this.machines.values()) {
      // A node that comes to it late finds what is newest by then.
      this.world.after(this.#random.int(0, 3_000), () => machine.reload(this.#newest.get(fault.job) ?? fault.options))
    }
  }
}
