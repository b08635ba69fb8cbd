import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestServer } from '../../test/servers/index.ts'
import { inTurns } from '../harness/in-turns.ts'
import { countStatements } from '../harness/store-work.ts'
import { within } from '../harness/within.ts'
import { NodeProcess } from './node-process.ts'
import type { Rival } from './rival.ts'

export interface ClusterOptions {
  readonly rival: Rival
  readonly processes: number
  readonly jobs: number
  /** How long a run takes, in ms. */
  readonly takes: number
  /** By how many seconds the first process' clock is wrong. */
  readonly clock: number
  readonly idle: boolean
}

export interface Cluster {
  readonly nodes: readonly NodeProcess[]
  /** The file in which each run leaves a line. */
  readonly witness: string
}

/** So many processes start at a time: all at once, twenty would be in each other's way on two cores, and BullMQ refuses some of the upserts. */
const AT_ONCE = 4
/** What all of them together may take, in ms. */
const START = 180_000

/** Starts the processes of a coordinator, does the work with them when all are ready, and ends them, however it went. */
export async function withCluster<Answer>(
  { rival, processes, jobs, takes, clock, idle }: ClusterOptions,
  server: TestServer,
  work: (cluster: Cluster) => Promise<Answer>,
): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'ticklock-bench-'))
  const witness = join(folder, 'witness.jsonl')
  writeFileSync(witness, '')
  const nodes: NodeProcess[] = []
  let over = false
  try {
    if (rival.store === 'postgres') await countStatements(server)
    if (rival.prepare) await within(60_000, `what ${rival.name} makes in its store`, rival.prepare(server.url))
    const common = { rival: rival.name, url: server.url, witness, jobs, takes, idle }
    const start = async (index: number): Promise<void> => {
      if (over) return // One of the others failed, and all are being ended.
      const node = new NodeProcess({ ...common, label: `node-${index}`, clock: index === 0 ? clock : 0 })
      nodes.push(node)
      await node.ready()
    }
    const all = inTurns(Array(processes).keys(), AT_ONCE, start)
    await within(START, `the start of ${processes} processes of ${rival.name}`, all)
    nodes.sort((one, other) => one.index - other.index)
    return await work({ nodes, witness })
  } finally {
    over = true
    await Promise.all(nodes.map((node) => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}
