import type { Clock } from '../../clock.ts'
import { hashOf } from './rendezvous.ts'

/** So many times in a row a node is waited for that does not take a job's tick. Then it does not have this job. */
const STRIKES = 2

/** Another node, as this one knows it from the store's responses. */
export class LiveNode {
  readonly hash: number
  /** When it was last seen (monotonic), and at which batch. */
  at = 0
  batch = 0
  /** By job: how many times in a row it left its first choice open. */
  readonly #strikes = new Map<string, number>()

  constructor(label: string) {
    this.hash = hashOf(label)
  }

  /** It took a tick of this job. */
  took(job: string): void {
    this.#strikes.delete(job)
  }

  /** Its first choice was still open when this node came to it. */
  leftOpen(job: string): void {
    this.#strikes.set(job, (this.#strikes.get(job) ?? 0) + 1)
  }

  /** Whether it takes the ticks of this job. */
  has(job: string): boolean {
    return (this.#strikes.get(job) ?? 0) < STRIKES
  }

  /** Whether there is a job of which that is not certain. */
  get inDoubt(): boolean {
    return this.#strikes.size > 0
  }
}

/** A label is live for this long after it was last seen, in ms. */
const LIVE_FOR = 120_000
/** And for this many batches for each node: one that takes every tenth tick is not seen at every tick. */
const BATCHES_A_NODE = 4

/**
 * The labels of the other nodes lately seen in the store's responses. They decide when this node requests a tick, never what is
 * granted: a label that is missing here, or is long gone, costs a moment and no tick.
 */
export class LiveNodes {
  readonly #clock: Clock
  /** This node's own label. Others with the same label share its part of the work. */
  readonly #own: string
  readonly #seen = new Map<string, LiveNode>()
  #batch = 0

  constructor(clock: Clock, own: string) {
    this.#clock = clock
    this.#own = own
  }

  /** A node holds a tick of this job. */
  see(label: string, job: string): void {
    if (label === this.#own) return
    let node = this.#seen.get(label)
    if (!node) {
      node = new LiveNode(label)
      this.#seen.set(label, node)
    }
    node.at = this.#clock.monotonic()
    node.batch = this.#batch
    node.took(job)
  }

  /** Begins a batch of ticks. Forgets the labels that were not seen for long. Returns the others. */
  nextBatch(): readonly LiveNode[] {
    this.#batch++
    const before = this.#clock.monotonic() - LIVE_FOR
    const firstBatch = this.#batch - BATCHES_A_NODE * (this.#seen.size + 1)
    for (const [label, { at, batch }] of this.#seen) if (at <= before && batch < firstBatch) this.#seen.delete(label)
    return [...this.#seen.values()]
  }
}
