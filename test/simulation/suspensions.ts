import type { Life } from './life.ts'
import type { WitnessedRun } from './run.ts'
import { slackOf, type Witness } from './witness.ts'

/** A process compares its clocks so often, in ms, and so notices that its machine slept. */
export const NOTICED = 1_000 + 10
/**
 * A renewal that is under way has its timeout (`storeTimeout`), and then the request whether the lease is still valid
 * has the same, in ms.
 */
const ANSWERED = 2 * (5_000 + 10)

/**
 * A lease that ended while the machine slept: soon after waking its process relies on it no more, and then the lease is
 * lost.
 */
export function judgeWaking(witness: Witness, life: Life): void {
  const wokeAt = witness.now
  for (const file of witness.files.values()) {
    for (const run of file.active) {
      const { lock } = run
      if (run.life !== life || !lock || run.leaseUntil + slackOf(run) >= wokeAt) continue
      whenAwake(witness, run, NOTICED, () => {
        if (lock.held)
          witness.violate('lost is known locally', `${life.node} relies on ${run.job} a second after it woke`)
      })
      whenAwake(witness, run, NOTICED + ANSWERED, () => {
        if (!lock.lost) witness.violate('lost is known locally', `${life.node} relies on ${run.job} long after it woke`)
      })
    }
  }
}

/** The signal of a lease that is over aborts when the store has said so, or could not be asked. */
export function judgeSignalLater(witness: Witness, run: WitnessedRun): void {
  whenAwake(witness, run, NOTICED + ANSWERED, () => {
    if (run.signal && !run.signal.aborted)
      witness.violate('lost is known locally', `the signal of ${run.job} on ${run.life.node} has not aborted`)
  })
}

/** Looks after so many ms, unless the process ended, or stood still, or the run ended, meanwhile. */
function whenAwake(witness: Witness, run: WitnessedRun, ms: number, look: () => void): void {
  const from = witness.now
  witness.later(ms, () => {
    if (run.endedAt !== undefined || run.life.clock.dead) return
    if (!run.life.stoodStillWithin(from + 1, witness.now)) look()
  })
}
