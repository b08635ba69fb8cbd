import { setTimeout as sleep } from 'node:timers/promises'
import type { ChaosNode } from '../chaos-node.ts'
import type { WrongClock } from '../faketime.ts'
import type { TcpProxy } from '../tcp-proxy.ts'
import type { WitnessFile } from '../witness-file.ts'
import { type Fault, type FaultKind, INSTANT_FAULTS, PROCESS_FAULTS, RECORD_FAULTS } from './fault.ts'
import type { StoreUnderChaos } from './store.ts'

/** What faults are done to. */
export interface Victims {
  readonly nodes: readonly ChaosNode[]
  /** The way of each node to the store; none to a file. */
  readonly proxies: readonly TcpProxy[]
  readonly store: StoreUnderChaos
  readonly control: WitnessFile
  /** The clock that a node gets in its next life. */
  nextClock(): WrongClock
}

type Undo = () => unknown

/** Does faults to a cluster, several at a time, but only one of a sort to each victim. */
export class Injector {
  /** How many of each kind there were. */
  readonly injected = new Map<FaultKind, number>()
  readonly #victims: Victims
  readonly #busy = new Set<string>()
  #faults = 0

  constructor(victims: Victims) {
    this.#victims = victims
  }

  /** Resolves when the fault is over and undone. */
  async inject(fault: Fault): Promise<void> {
    const isProcess = (PROCESS_FAULTS as readonly string[]).includes(fault.kind)
    const isRecord = (RECORD_FAULTS as readonly string[]).includes(fault.kind)
    const inStore = this.#victims.store.faults[fault.kind]
    const label = this.#victims.nodes[fault.node]?.label ?? ''
    const scope = isRecord ? (fault.kind === 'table-locked' ? 'store' : (fault.job ?? '')) : inStore ? 'store' : label
    const victim = isRecord
      ? `record ${fault.job}`
      : inStore
        ? 'store'
        : `${label} ${isProcess ? 'process' : 'network'}`
    if (this.#busy.has(victim)) return
    const id = ++this.#faults
    this.#busy.add(victim)
    this.#victims.control.write({ what: 'fault', id, kind: fault.kind, scope })
    try {
      const undo = inStore ? inStore(fault.for, fault.job ?? '') : this.#begin(fault)
      this.injected.set(fault.kind, (this.injected.get(fault.kind) ?? 0) + 1)
      const [end] = await Promise.all([undo, sleep(INSTANT_FAULTS.has(fault.kind) ? 0 : fault.for)])
      await end?.()
    } finally {
      this.#victims.control.write({ what: 'healed', id })
      this.#busy.delete(victim)
    }
  }

  async #begin({ kind, node: index, for: ms }: Fault): Promise<Undo | undefined> {
    const node = this.#victims.nodes[index]
    const proxy = this.#victims.proxies[index]
    if (!node) return
    const heal: Undo = () => proxy?.set('open', 'open')
    const again: Undo = () => node.start(this.#victims.nextClock())
    switch (kind) {
      case 'node-killed':
        await node.signal('SIGKILL')
        return again
      case 'node-stopped':
        await node.signal('SIGSTOP')
        return () => node.signal('SIGCONT')
      case 'out-of-memory':
        node.tell({ order: 'eat-memory' })
        await node.ended()
        return again
      case 'full-pool':
        if (this.#victims.store.kind !== 'mongodb') return void node.tell({ order: 'fill-pool', ms })
        // Nothing keeps a connection of its driver busy: so the answers on those that there are, all that there may be, are kept back.
        proxy?.holdPresent()
        return heal
      case 'cut':
        proxy?.cut(false)
        return
      case 'refused':
        proxy?.cut(true)
        return () => proxy?.cut(false)
      case 'delayed':
        proxy?.delay(Math.min(ms / 2, 1_500))
        return () => proxy?.delay(0)
      case 'held':
        proxy?.set('held', 'held')
        return heal
      case 'requests-held':
        proxy?.set('held', 'open')
        return heal
      case 'replies-held':
        proxy?.set('open', 'held')
        return heal
      case 'black-hole':
        proxy?.set('lost', 'lost')
        return heal
      case 'requests-lost':
        proxy?.set('lost', 'open')
        return heal
      case 'replies-lost':
        proxy?.set('open', 'lost')
        return heal
    }
  }
}
