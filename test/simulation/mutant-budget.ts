// Runs one seed, and more until a rule is broken or the time is up, and prints what was found as JSON: node mutant-budget.ts FROM SECONDS
import { makeScenario } from './make-scenario.ts'
import { runScenario } from './run-scenario.ts'

Error.stackTraceLimit = 0
const [from = '1', seconds = '30'] = process.argv.slice(2)
const startedAt = Date.now()
let ticks = 0
const tell = (check: string, seed: number): void => {
  console.log(JSON.stringify({ check, seed, ticks, ms: Date.now() - startedAt }))
  process.exit(0)
}
for (let seed = Number(from); seed === Number(from) || Date.now() - startedAt < Number(seconds) * 1_000; seed++) {
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', () => tell('the process ends by an error', seed))
  const { violations, due } = await runScenario(makeScenario(seed))
  ticks += due
  if (violations[0]) tell(violations[0].rule, seed)
}
