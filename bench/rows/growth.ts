import { type Place, placeName, type Size } from '../growth/cells.ts'
import { type Cost, growthOn } from '../growth/measure.ts'
import { figure, type Result } from '../harness/result.ts'
import type { BenchContext, Row } from '../harness/row.ts'
import { slope } from '../harness/statistics.ts'

/** What is measured of each size, as its figures are called. */
const MEASURES = [
  { name: 'until all are decided', unit: 'ms', of: ({ decided }: Cost) => decided },
  { name: 'store work for a node and tick', unit: 'statements', of: ({ work }: Cost) => work },
  { name: 'CPU of a node for a tick', unit: 'ms', of: ({ cpu }: Cost) => cpu },
] as const

/** The curve and not the point: what ten times the jobs, or ten times the nodes, cost. */
export const growth: Row = {
  name: 'growth',
  what: 'cost as it grows: 10 to 100,000 jobs due at once × 1 to 100 nodes, with the slopes (1: as fast as the size, 0: not at all)',
  async run(context) {
    const results: Result[] = []
    for (const place of ['postgres', 'redis', 'memory'] as const) {
      const { stores } = context.options
      if (stores.length > 0 && !stores.includes(place)) continue
      const costs = await costsOn(context, place)
      results.push(...MEASURES.flatMap((measure) => figuresOf(placeName(place), costs, measure)))
    }
    return results
  },
}

async function costsOn(context: BenchContext, place: Place): Promise<Cost[]> {
  const server = place === 'memory' ? undefined : await context.fresh(place)
  const costs: Cost[] = []
  if (!server && place !== 'memory') return costs
  try {
    await growthOn(place, server, (cost) => {
      const [decided, work, cpu] = [cost.decided, cost.work, cost.cpu].map((value) => value.toFixed(2))
      context.say(
        `  ${placeName(place)}, ${sizeName(cost.size)}: ${decided} ms, ${work} of the store, ${cpu} ms of CPU`,
      )
      costs.push(cost)
    })
  } catch (error) {
    context.say(`!!! NOT MEASURED: growth on ${place}: ${error}`)
  } finally {
    await server?.stop()
  }
  return costs
}

const sizeName = ({ jobs, nodes }: Size): string => `${jobs} jobs × ${nodes} node${nodes === 1 ? '' : 's'}`

function figuresOf(on: string, costs: readonly Cost[], { name, unit, of }: (typeof MEASURES)[number]): Result[] {
  const measured = costs.filter((cost) => !Number.isNaN(of(cost)))
  const points = measured.map((cost) => figure(`growth: ${name}, ${sizeName(cost.size)}`, on, of(cost), unit))
  return [...points, ...slopes(on, measured, name, of)]
}

/** Over the jobs for each number of nodes, and over the nodes for each number of jobs, where there are three points or more. */
function slopes(on: string, costs: readonly Cost[], name: string, of: (cost: Cost) => number): Result[] {
  const results: Result[] = []
  for (const [along, fixed] of [
    ['jobs', 'nodes'],
    ['nodes', 'jobs'],
  ] as const)
    for (const value of new Set(costs.map(({ size }) => size[fixed]))) {
      const curve = costs.filter(({ size }) => size[fixed] === value)
      if (curve.length < 3) continue
      const power = slope(curve.map((cost) => [cost.size[along], of(cost)]))
      results.push(figure(`growth: slope of ${name} over ${along}, ${value} ${fixed}`, on, power, ''))
    }
  return results
}
