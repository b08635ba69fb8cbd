import { fitLives, hadBadRecord, wasBusy } from './fitness.ts'
import type { Grant, History, RunOfTick } from './history.ts'
import type { Case, JudgedJob, Violate } from './judge.ts'

/** How long after the lapse of a lease its tick has to have been taken over, in ms: nodes wake at its end, or look once a second. */
const TAKEN_OVER_WITHIN = 2_500

/** With `onCrash: 'rerun'`, a tick whose node was killed in it is taken over by a node that was fit all along, unless a later tick was granted. */
export function judgeReruns(history: History, judged: Case, violate: Violate): void {
  for (const job of judged.jobs.filter(({ onCrash }) => onCrash === 'rerun')) {
    const grants = history.grants.filter((grant) => grant.job === job.name)
    for (const run of history.runs.filter((each) => each.job === job.name)) {
      const grant = grants.find(({ life, token }) => life === run.life && token === run.token)
      if (grant && isOwed(history, judged, job, run, grant))
        violate('rerun', `${job.name} at ${run.tick} was not taken over from ${run.life}`)
    }
  }
}

function isOwed(
  history: History,
  { epoch, to, recovery }: Case,
  job: JudgedJob,
  run: RunOfTick,
  grant: Grant,
): boolean {
  const life = history.lives.get(run.life)
  const crashed =
    life?.how === 'SIGKILL' && run.endedAt === undefined && grant.release.startedAt === Number.POSITIVE_INFINITY
  const until = grant.storeUntil + TAKEN_OVER_WITHIN
  if (!crashed || until > to) return false
  // Whoever asked, as answers may have been lost.
  const later = history.asks.some(
    (ask) =>
      ask.job === job.name &&
      ask.owner !== grant.owner &&
      ask.tick >= run.tick &&
      ask.sentAt <= until &&
      ask.sentAt > grant.askedAt &&
      mayBeGranted(ask.answer?.reason, ask.answer?.token),
  )
  if (later || hadBadRecord(history, job.name, grant.askedAt, until)) return false
  if (wasBusy(history, grant.storeUntil - 1_000, until)) return false
  const at = run.tick - epoch
  return fitLives(history, at, until, recovery).some((fit) => history.asksOf(fit.life, job.name, run.tick).length > 0)
}

/** An answer that was not a refusal: a grant, or none. */
const mayBeGranted = (reason: string | undefined, token: number | undefined): boolean =>
  token !== undefined || reason === undefined
