import { wasBusy } from './fitness.ts'
import { type Ask, type History, type Life, skipKey } from './history.ts'
import type { JudgedJob } from './judge.ts'

export interface Excuse {
  readonly excuses: boolean
  /** What excuses it, or what it did wrong. */
  readonly reason: string
}

const yes = (reason: string): Excuse => ({ excuses: true, reason })
const no = (reason: string): Excuse => ({ excuses: false, reason })

/** Why a node that was fit at a tick did not run it. What the store told it has to be confirmed by what others witnessed. */
export function excuseOf(history: History, job: JudgedJob, tick: number, at: number, { life }: Life): Excuse {
  const until = at + job.interval
  const asks = history.asksOf(life, job.name, tick)
  const answered = asks.find(({ answer }) => answer !== undefined)
  if (!answered) {
    if (wasBusy(history, at - 1_000, until)) return yes('the machine was busy')
    if (asks.length > 0) return no('got no answer')
    return wasRunning(history, job.name, tick, life, at) ? yes('its last run went on') : no('did not ask')
  }
  switch (answered.answer?.reason) {
    case 'held':
      return wasHeld(history, job, answered)
        ? yes('the lock was held')
        : no('was told that the lock was held, by nobody')
    case 'tick-taken':
      return takenBy(history, answered)
    case undefined:
      return wasBusy(history, at - 1_000, until)
        ? yes('the machine was busy')
        : no('was granted it, and did not run it')
    default:
      return no(`was refused: ${answered.answer?.reason}`)
  }
}

function wasRunning({ runs, skips }: History, job: string, tick: number, life: string, at: number): boolean {
  if (!skips.has(skipKey(life, job, tick, 'running'))) return false
  return runs.some(
    (run) => run.life === life && run.job === job && run.begunAt <= at + 1_000 && (run.endedAt ?? at) >= at - 1_000,
  )
}

/** Some other owner had the lock while the answer was made, or may have had it, as its own answer was lost. */
function wasHeld(history: History, job: JudgedJob, { owner, sentAt, answeredAt = sentAt }: Ask): boolean {
  const byGrant = history.grants.some((grant) => {
    if (grant.job !== job.name || grant.owner === owner || grant.askedAt > answeredAt) return false
    const atLeastUntil = grant.knownAt + job.lockAtLeastFor
    const end = grant.release.freedAt === undefined ? grant.storeUntil : Math.max(grant.release.freedAt, atLeastUntil)
    return end >= sentAt
  })
  return (
    byGrant ||
    uncertain(history, job.name).some((ask) => ask.owner !== owner && mayHold(history, job, ask, sentAt, answeredAt))
  )
}

/** Who took the tick, or a later one: that node must have had a reason not to run it. */
function takenBy(history: History, { job, tick, owner, answeredAt = 0 }: Ask): Excuse {
  const grants = history.grants.filter(
    (grant) => grant.job === job && grant.tick >= tick && grant.askedAt <= answeredAt,
  )
  if (grants.some((grant) => grant.tick > tick)) return yes('a later tick was granted')
  const taken = grants.find((grant) => grant.owner !== owner)
  if (taken) {
    const { life, askedAt, knownAt, storeUntil } = taken
    if (troubleOf(history, life, askedAt, storeUntil) !== undefined) return yes('its node failed after the grant')
    // As it excuses the node itself: a grant that is seen too late is given back.
    return wasBusy(history, askedAt - 1_000, knownAt + 1_000)
      ? yes('the machine was busy')
      : no(`${life} was granted it, and did not run it`)
  }
  const lost = uncertain(history, job).some(
    (ask) => ask.tick >= tick && ask.owner !== owner && ask.sentAt <= answeredAt,
  )
  return lost ? yes('its node failed after the grant') : no('was told that it was taken, by nobody')
}

/** An answer that took longer, in ms, may be to a request that was sent once more: drivers do so by themselves on a new connection. */
const SENT_ONCE_WITHIN = 300

/** Requests that may have been granted though no grant was witnessed: without an answer, or with one to another copy of them. */
const uncertain = ({ asks }: History, job: string): Ask[] =>
  asks.filter(
    ({ job: name, answer, undecided, sentAt, answeredAt = sentAt }) =>
      name === job &&
      !undecided &&
      (answer === undefined || (answer.token === undefined && answeredAt - sentAt > SENT_ONCE_WITHIN)),
  )

/** A request whose answer was lost may have been granted, and so late as the fault that held it up was over. */
function mayHold(history: History, job: JudgedJob, ask: Ask, from: number, until: number): boolean {
  if (ask.sentAt > until) return false
  const node = history.lives.get(ask.life)?.node
  const applied = history.faults
    .filter(
      (fault) =>
        (fault.scope === node || fault.scope === 'store') &&
        fault.from <= ask.sentAt + 5_000 &&
        fault.until >= ask.sentAt,
    )
    .reduce((latest, fault) => Math.max(latest, fault.until), ask.answeredAt ?? ask.sentAt)
  return applied + job.lockAtMostFor + 1_000 >= from
}

/** What befell a life, or its way to the store, between two moments. */
function troubleOf({ lives, faults }: History, life: string, from: number, until: number): string | undefined {
  const of = lives.get(life)
  if (!of || of.until <= until) return 'it ended'
  if (of.stalls.some((stall) => stall.from <= until && stall.until >= from)) return 'it was stopped'
  return faults.find((f) => (f.scope === of.node || f.scope === 'store') && f.from <= until && f.until >= from)?.kind
}
