import type { Result } from '../harness/result.ts'

/** A point of a curve of the row "growth". */
export interface Point {
  readonly on: string
  readonly jobs: number
  readonly nodes: number
  readonly value: number
}

/** The points of a measure. What is 0 has no place on a logarithmic scale, and is left out. */
export function pointsOf(results: readonly Result[], measure: string): Point[] {
  return results.flatMap(({ name, provider, value }) => {
    const [, what, jobs, nodes] = /^growth: (.+), (\d+) jobs × (\d+) nodes?$/.exec(name) ?? []
    return what === measure && value > 0 ? [{ on: provider, jobs: Number(jobs), nodes: Number(nodes), value }] : []
  })
}
