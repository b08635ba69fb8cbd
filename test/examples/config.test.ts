import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Workplace } from '../cli/ticklock.ts'

const example = fileURLToPath(new URL('../../examples/config/', import.meta.url))

describe('the example of a config', () => {
  it('runs in two processes that share its ticks', async () => {
    await using place = new Workplace()
    cpSync(example, place.folder, { recursive: true, filter: (file) => !file.includes('.sqlite') })
    const nodes = [place.start(['run']), place.start(['run'])]
    await Promise.all(nodes.map((node) => node.running()))
    const succeeded = (job: string) =>
      Promise.race(nodes.map((node) => node.line((line) => line.msg === 'job succeeded' && line.job === job, job)))
    await Promise.all(['heartbeat', 'program', 'function'].map(succeeded))
    for (const node of nodes) node.signal('SIGTERM')
    for (const node of nodes) expect(await node.ended).toMatchObject({ code: 0, stderr: '' })
    const ran = nodes.flatMap(({ log }) => log.filter(({ msg }) => msg === 'job succeeded'))
    const ticks = ran.map(({ job, scheduledAt }) => `${job} ${scheduledAt}`)
    expect(new Set(ticks).size).toBe(ticks.length)
  })
})
