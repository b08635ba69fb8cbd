import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'

const { postgres } = inject('servers')
const LABELS = ['node-1', 'node-2', 'node-3', 'node-4']
const JOBS = 40
const EVERY = 2_000
/** Ticks in which the nodes meet, and ticks that are judged. */
const WARM_UP = 10
const TICKS = 10

interface Ran {
  readonly node: string
  readonly tick: number
  readonly job: string
}

/** Starts a node with the jobs, and keeps what it runs. */
async function start(label: string, url: string, jobs: string, ran: Ran[]): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./spread-node.ts', import.meta.url))
  const args = [url, label, jobs, String(JOBS), String(EVERY)]
  const node = fork(program, args, { execArgv: ['--import', 'tsx'] })
  node.on('message', (message) => {
    if (message !== 'ready') ran.push({ node: label, ...(message as Omit<Ran, 'node'>) })
  })
  await once(node, 'message')
  return node
}

describe.skipIf('unavailable' in postgres)('four processes over one PostgreSQL', () => {
  it('share the jobs of each tick, each of which runs once', { timeout: 120_000 }, async () => {
    const url = 'url' in postgres ? postgres.url : ''
    const ran: Ran[] = []
    const jobs = `spread-${process.pid}-${Date.now()}`
    const nodes = await Promise.all(LABELS.map((label) => start(label, url, jobs, ran)))
    try {
      const first = (Math.floor(Date.now() / EVERY) + 1 + WARM_UP) * EVERY
      const end = first + TICKS * EVERY
      const ticks = Array.from({ length: TICKS }, (_, index) => first + index * EVERY)
      const seen = new Set<number>()
      // A tick is over when the one after it has begun on some node.
      while (!seen.has(end)) {
        const [message] = await once(nodes[0] as ChildProcess, 'message')
        seen.add((message as Ran).tick)
      }
      for (const node of nodes) node.send('stop')
      await Promise.all(nodes.map((node) => once(node, 'exit')))

      const judged = ran.filter(({ tick }) => ticks.includes(tick))
      expect(judged.length).toBe(JOBS * TICKS)
      expect(new Set(judged.map(({ tick, job }) => `${tick} ${job}`)).size).toBe(JOBS * TICKS)
      for (const label of LABELS) {
        const own = judged.filter(({ node }) => node === label)
        // Of most ticks each node runs some jobs, and over all of them about a quarter.
        expect(new Set(own.map(({ tick }) => tick)).size).toBeGreaterThan(TICKS / 2)
        expect(own.length / judged.length).toBeGreaterThan(0.1)
        expect(own.length / judged.length).toBeLessThan(0.5)
      }
    } finally {
      for (const node of nodes) node.kill('SIGKILL')
    }
  })
})
