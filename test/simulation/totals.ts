import type { Told } from './simulate.ts'

/** What all seeds came to, as one table. */
export class Totals {
  readonly broken: Told[] = []
  readonly #startedAt = performance.now()
  readonly #sums = { seeds: 0, nodes: 0, 'ticks due': 0, 'ticks run': 0, runs: 0 }
  readonly #reasons = new Map<string, number>()
  #forgotten = 0

  add(told: Told): void {
    const sums = this.#sums
    sums.seeds++
    sums.nodes += told.nodes
    sums['ticks due'] += told.due
    sums['ticks run'] += told.run
    sums.runs += told.runs
    this.#forgotten += told.forgottenRuns
    for (const [reason, count] of Object.entries(told.reasons))
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + count)
    if (told.violation) this.broken.push(told)
  }

  print(): void {
    const rows: [string, number][] = Object.entries(this.#sums)
    for (const [reason, count] of [...this.#reasons].sort((a, b) => b[1] - a[1]))
      rows.push([`not run: ${reason}`, count])
    rows.push(['run once more, since a failover forgot the grant', this.#forgotten])
    rows.push(['seeds that break a rule', this.broken.length])
    rows.push(['seconds', Math.round((performance.now() - this.#startedAt) / 100) / 10])
    const width = Math.max(...rows.map(([name]) => name.length))
    console.log(`| ${'the simulation'.padEnd(width)} |            |`)
    console.log(`| ${'-'.repeat(width)} | ---------: |`)
    for (const [name, value] of rows)
      console.log(`| ${name.padEnd(width)} | ${value.toLocaleString('en-US').padStart(10)} |`)
    for (const { seed, violation } of this.broken.sort((a, b) => a.seed - b.seed).slice(0, 20))
      console.log(`\nseed ${seed}: ${violation?.rule}: ${violation?.what}\n  npm run simulate -- --seed ${seed}`)
  }
}
