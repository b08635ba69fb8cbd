import { excuseOf } from './excuse.ts'
import { fitLives, hadBadRecord } from './fitness.ts'
import type { FaultTime, History } from './history.ts'
import type { Case, JudgedJob, Violate } from './judge.ts'
import { ANSWERABLE, ticksOf } from './ticks.ts'

/** Every tick that is due runs, unless each node that was fit at its time had a reason, which the witness confirms. */
export function judgeLiveness(
  history: History,
  judged: Case,
  violate: Violate,
): { due: number; run: number; excused: Record<string, number> } {
  const excused: Record<string, number> = {}
  let due = 0
  let run = 0
  for (const job of judged.jobs) {
    const ran = new Set(history.runs.filter((each) => each.job === job.name).map(({ tick }) => tick))
    for (const tick of ticksOf(job, judged)) {
      due++
      if (ran.has(tick)) {
        run++
        continue
      }
      const { reason, excuses } = explain(history, job, tick, judged)
      if (excuses) excused[reason] = (excused[reason] ?? 0) + 1
      else violate('liveness', `${job.name} at ${tick} was missed without need: ${reason}`)
    }
  }
  return { due, run, excused }
}

function explain(history: History, job: JudgedJob, tick: number, { epoch, recovery }: Case) {
  const at = tick - epoch
  const until = at + Math.min(job.graceFor, job.interval, ANSWERABLE)
  if (hadBadRecord(history, job.name, at, until))
    return { excuses: true, reason: 'its record was locked or unreadable' }
  const fit = fitLives(history, at, until, recovery)
  const reasons = fit.map((life) => ({ life, ...excuseOf(history, job, tick, at, life) }))
  const unexplained = reasons.find(({ excuses }) => !excuses)
  if (unexplained) return { excuses: false, reason: `${unexplained.life.life} was fit, and ${unexplained.reason}` }
  return { excuses: true, reason: reasons[0]?.reason ?? noneFit(history.faults, at - recovery, until) }
}

function noneFit(faults: readonly FaultTime[], from: number, until: number): string {
  const store = faults.some((fault) => fault.scope === 'store' && fault.from <= until && fault.until >= from)
  return store ? 'the store was down or just back' : 'no node was fit'
}
