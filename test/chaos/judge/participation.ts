import { fitLives, hadBadRecord, wasBusy } from './fitness.ts'
import { type History, skipKey } from './history.ts'
import type { Case, Violate } from './judge.ts'
import { ANSWERABLE, ticksOf } from './ticks.ts'

/**
 * Each node that is fit asks for each tick and is answered, whoever runs it in the end: or a node that never came back to itself after a fault would be
 * hidden by the others. Jobs that catch up ask in their own time.
 */
export function judgeParticipation(history: History, judged: Case, violate: Violate): void {
  const { epoch, recovery } = judged
  for (const job of judged.jobs.filter(({ catchesUp }) => !catchesUp)) {
    for (const tick of ticksOf(job, judged)) {
      const at = tick - epoch
      const until = at + Math.min(job.graceFor, job.interval, ANSWERABLE)
      if (hadBadRecord(history, job.name, at, until)) continue
      for (const { life } of fitLives(history, at, until, recovery)) {
        if (history.skips.has(skipKey(life, job.name, tick, 'running'))) continue
        const asks = history.asksOf(life, job.name, tick)
        if (asks.some(({ answer }) => answer !== undefined) || wasBusy(history, at - 1_000, until)) continue
        violate(
          'node part',
          `${life} was fit, and ${asks.length > 0 ? 'got no answer' : 'did not ask'}: ${job.name} at ${tick}`,
        )
      }
    }
  }
}
