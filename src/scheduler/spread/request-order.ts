import type { Clock } from '../../clock.ts'
import type { Tick, TickRequest } from '../tick/tick.ts'
import { type LiveNode, LiveNodes } from './live-nodes.ts'
import { hashOf, scoreOf, tickKey } from './rendezvous.ts'

/** The first of the nodes requests the ticks of the others' choice after this long, in ms, and each further node as much later. */
const SPREAD_FOR = 50
/** The last node comes at most this many ms after the tick. */
const LONGEST_SPREAD = 500
/** For each tick of a large batch, in ms: the nodes need that long to obtain their first choices. */
const WAIT_PER_TICK = 0.1
const LONGEST_FOR_LARGE = 1_250
/** The last node has waited for this part of the time left at most. */
const WAIT_PART = 4
/** What a node leaves to others takes it so many calls: a read, and a request of those that are still open. */
const CALLS = 2
/** The wait and these calls may take this part of the time left at most. Beyond it a node requests all at once. */
const PART_FOR_CALLS = 2
/** A key of 32 bits and an index below this fit an integer of 53 bits. */
const INDEXES = 2 ** 21
/** A node has its full share when it has this many times the average. */
const FULL_SHARE = 1.1

/**
 * A node that obtains everything at once meets no other node, and learns of none. So at some batches, chosen at random, it leaves a few of its own
 * first choices to others: at half of the first batches while it knows nobody, and else at few.
 */
const LEFT_AT_MOST = 8
const EARLY_BATCHES = 16
const PROBE_EARLY = 1 / 2
const PROBE_LATER = 1 / 16

export interface RequestOrderOptions {
  readonly clock: Clock
  /** This node's label. */
  readonly label: string
  readonly random: () => number
  /** Without it every tick is requested at once. */
  readonly spread: boolean
}

/** A tick to request, and the node it is left to for the moment, if that is another one. */
export interface OrderedRequest extends TickRequest {
  readonly leftTo?: LiveNode | undefined
}

/** When to request the ticks of a batch: by the wait in ms, 0 for at once. */
export type Order = ReadonlyMap<number, readonly OrderedRequest[]>

/**
 * Spreads the ticks that are due at once over the nodes. Every node computes the same first choices. It requests its
 * own at once, and the others after the time that those nodes need for theirs. By then most are taken, and such
 * requests are refused without a write. The nodes come one after another, in another order at each tick, so the share
 * of a node that is gone falls to one after another. While the store or this node is so slow that a later request might
 * miss the tick, all are requested at once.
 *
 * Changes only when this node requests, never what is granted.
 */
export class RequestOrder {
  readonly #options: RequestOrderOptions
  readonly #live: LiveNodes
  readonly #own: number
  #batches = 0
  /** How long the slowest of the last calls took, in ms. Half of it counts at the next batch. */
  #slowest = 0

  constructor(options: RequestOrderOptions) {
    this.#options = options
    this.#live = new LiveNodes(options.clock, options.label)
    this.#own = hashOf(options.label)
  }

  /** The store's response names the node that took the tick. */
  taken({ job }: Tick, label: string): void {
    if (this.#options.spread) this.#live.see(label, job.name)
  }

  /** A call of the store took so many ms: for a busy store, and on a busy node as well. */
  responded(ms: number): void {
    this.#slowest = Math.max(this.#slowest, ms)
  }

  /** Orders a batch of ticks that are due now. `now` is the corrected time. */
  of(requests: readonly TickRequest[], now: number): Order {
    const { spread, clock } = this.#options
    const calls = CALLS * this.#slowest
    this.#slowest /= 2
    const others = spread ? this.#live.nextBatch() : []
    const probes = spread && this.#isProbe(others.length === 0)
    if (others.length === 0 && !probes) return new Map([[0, requests]])
    const first: OrderedRequest[] = []
    const later: OrderedRequest[] = []
    for (const ordered of this.#share(requests, others)) (ordered.leftTo ? later : first).push(ordered)
    if (probes) later.push(...this.#leaveSome(first))
    const monotonic = clock.monotonic()
    const places = new Map<number, number>()
    const order = new Map<number, OrderedRequest[]>([[0, first]])
    for (const ordered of later) {
      const { tick, until } = ordered
      const place = places.get(tick.time) ?? this.#placeAt(tick.time, others)
      places.set(tick.time, place)
      const left = until - monotonic
      const wait = waitFor({ place, nodes: others.length + 1, batch: requests.length, left })
      const isSlow = wait + calls > left / PART_FOR_CALLS
      into(order, isSlow ? 0 : Math.max(0, wait - Math.max(0, now - tick.time)), ordered)
    }
    return order
  }

  #isProbe(alone: boolean): boolean {
    this.#batches++
    const early = alone && this.#batches <= EARLY_BATCHES
    return this.#options.random() < (early ? PROBE_EARLY : PROBE_LATER)
  }

  /** Takes a few out of a node's first choices. */
  #leaveSome(first: OrderedRequest[]): OrderedRequest[] {
    const count = Math.min(LEFT_AT_MOST, Math.ceil(first.length / 8))
    return first.splice(Math.floor(this.#options.random() * (first.length - count + 1)), count)
  }

  /** Gives each tick to the node with the highest score that has not its full share yet. Goes through the ticks by their keys: the same way on all nodes. */
  #share(requests: readonly TickRequest[], others: readonly LiveNode[]): OrderedRequest[] {
    const own = others.length
    const hashes = Int32Array.from([...others.map(({ hash }) => hash), this.#own])
    const shares = new Uint32Array(hashes.length)
    const full = Math.ceil((requests.length / hashes.length) * FULL_SHARE)
    const someInDoubt = others.some(({ inDoubt }) => inDoubt)
    return sortedByKey(requests).map(({ key, request: { tick, until } }) => {
      let best = -1
      let first = own
      for (let node = 0; node < hashes.length; node++) {
        const score = scoreOf(key, hashes[node] as number)
        if (score <= best || (shares[node] as number) >= full) continue
        if (someInDoubt && others[node]?.has(tick.job.name) === false) continue
        best = score
        first = node
      }
      shares[first] = (shares[first] as number) + 1
      return { tick, until, leftTo: others[first] }
    })
  }

  /** This node's place among all that come later to the ticks of this moment, from 0. */
  #placeAt(time: number, others: readonly LiveNode[]): number {
    const key = tickKey('', time)
    const own = scoreOf(key, this.#own)
    let before = 0
    for (const { hash } of others) if (scoreOf(key, hash) > own) before++
    return before
  }
}

export interface Wait {
  /** The node's place, from 0, among this many. */
  readonly place: number
  readonly nodes: number
  /** How many ticks are due at once. */
  readonly batch: number
  /** Until the end of the grace or the next tick, in ms. */
  readonly left: number
}

/** How long after the tick a node requests what is not its first choice, in ms. */
export function waitFor({ place, nodes, batch, left }: Wait): number {
  const base = Math.min(Math.max(SPREAD_FOR, batch * WAIT_PER_TICK), LONGEST_FOR_LARGE, left / WAIT_PART / 2)
  const longest = Math.min(Math.max(LONGEST_SPREAD, 2 * batch * WAIT_PER_TICK), LONGEST_FOR_LARGE, left / WAIT_PART)
  const step = nodes > 1 ? Math.min(base, (longest - base) / (nodes - 1)) : 0
  return base + place * step
}

/** Sorts numbers in place of objects: many times faster for thousands. */
function sortedByKey(requests: readonly TickRequest[]): { readonly key: number; readonly request: TickRequest }[] {
  const keyed = new Float64Array(requests.length)
  for (const [index, { tick }] of requests.entries()) keyed[index] = tickKey(tick.job.name, tick.time) * INDEXES + index
  return Array.from(keyed.sort(), (both) => ({
    key: Math.floor(both / INDEXES),
    request: requests[both % INDEXES] as TickRequest,
  }))
}

function into(order: Map<number, OrderedRequest[]>, wait: number, ordered: OrderedRequest): void {
  const together = order.get(wait)
  if (together) together.push(ordered)
  else order.set(wait, [ordered])
}
