import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChaosNode } from './chaos-node.ts'
import type { WrongClock } from './faketime.ts'
import { hasOwnClient } from './faults/draw.ts'
import type { StoreUnderChaos } from './faults/store.ts'
import type { BreakName } from './node/breaks.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { machineTime, readWitness, WitnessFile } from './witness-file.ts'
import type { WitnessLine } from './witness-line.ts'

export interface ClusterOptions {
  readonly store: StoreUnderChaos
  readonly nodes: number
  /** libfaketime, when clocks are to be wrong. */
  readonly faketime: string | undefined
  /** The clock that a node gets in its next life. */
  nextClock(): WrongClock
  readonly broken?: BreakName
}

/** Real processes of the built package over one store, each by a way of its own, and a witness outside of the store. */
export class ChaosCluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ticklock-chaos-'))
  /** The store's clock less the monotonic clock. */
  readonly epoch = Date.now() - machineTime()
  readonly control = new WitnessFile(this.folder, 'control.0')
  readonly nodes: readonly ChaosNode[]
  readonly proxies: readonly TcpProxy[]
  /** Leaves the witness where it is at the end. */
  keepsWitness = false
  readonly #options: ClusterOptions

  private constructor(options: ClusterOptions, proxies: readonly TcpProxy[]) {
    this.#options = options
    this.proxies = proxies
    this.nodes = Array.from({ length: options.nodes }, (_, index) => this.#node(index))
  }

  /** Resolves when all nodes are ready. */
  static async start(options: ClusterOptions): Promise<ChaosCluster> {
    const { port } = options.store
    const length = port === undefined ? 0 : options.nodes
    const proxies = await Promise.all(Array.from({ length }, () => TcpProxy.to(port ?? 0)))
    const cluster = new ChaosCluster(options, proxies)
    try {
      await Promise.all(cluster.nodes.map((node) => node.start(options.nextClock())))
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What was witnessed so far. */
  witnessed(): WitnessLine[] {
    return readWitness(this.folder)
  }

  /** Drains and ends all nodes. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.signal('SIGKILL')))
    await Promise.all(this.proxies.map((proxy) => proxy.close()))
    if (!this.keepsWitness) rmSync(this.folder, { recursive: true, force: true })
  }

  #node(index: number): ChaosNode {
    const { store, faketime, broken } = this.#options
    const { folder, epoch } = this
    const url = through(store.url, this.proxies[index])
    const place = { label: `node-${index + 1}`, folder, epoch, kind: store.kind, url, ownClient: hasOwnClient(index) }
    return new ChaosNode({ ...place, faketime, ...(broken && { broken }) }, this.control)
  }
}

/** The URL that leads to the store by this proxy. */
function through(url: string, proxy: TcpProxy | undefined): string {
  if (!proxy) return url
  const changed = new URL(url)
  changed.port = String(proxy.port)
  return changed.href
}
