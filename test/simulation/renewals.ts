import type { ExtendRequest, Lease, Settled } from '../../src/provider/contract.ts'
import type { Life } from './life.ts'
import type { WitnessedRun } from './run.ts'
import { RETRY_AFTER, type Witness } from './witness.ts'

/** A renewal is given up after so long (`storeTimeout`), in ms, and a whole millisecond of a timer more. */
const GIVEN_UP = 5_002
/** A request for a record that a stranger has locked is repeated after so long at most, in ms. */
const BUSY = 250
/** So much later than planned a renewal may go out, in ms: timers and turns. */
const LATE = 50

/** Follows a renewal from the moment a node sends it, whether it arrives or not, and judges what comes after one that failed. */
export function watchRenewal(
  witness: Witness,
  life: Life,
  requests: readonly ExtendRequest[],
  answer: Promise<readonly Settled<Lease | undefined>[]>,
): void {
  const sentAt = witness.now
  for (const { owner } of requests) life.renewed.set(owner, sentAt)
  let settled = false
  const failed = (): void => {
    if (settled) return
    settled = true
    for (const request of requests) expectRetry(witness, life, request, sentAt)
  }
  answer.then((leases) => {
    if (settled) return
    settled = true
    for (let index = 0; index < requests.length; index++) {
      const request = requests[index] as ExtendRequest
      const lease = leases[index]
      if (lease instanceof Error) expectRetry(witness, life, request, sentAt, BUSY)
      else if (lease) noteLease(witness, request, lease)
      else expectLoss(witness, life, request)
    }
  }, failed)
  witness.later(GIVEN_UP, failed)
}

function noteLease(witness: Witness, { name, owner }: ExtendRequest, { lockUntil }: Lease): void {
  const run = witness.files.get(name)?.runs.get(owner)
  if (run?.lock?.held) run.heardUntil = Math.max(run.heardUntil, lockUntil)
}

/** A renewal that failed is repeated after an eighth of what is left: a lease is not let go at the first failure. */
function expectRetry(witness: Witness, life: Life, { name, owner }: ExtendRequest, sentAt: number, atLeast = 0): void {
  const run = witness.files.get(name)?.runs.get(owner)
  if (!run?.lock?.held || run.life !== life || !isKeptAlive(run, witness.now)) return
  const { remaining } = run.lock
  const pause = Math.max(remaining * RETRY_AFTER, atLeast) + LATE
  if (pause >= remaining) return
  witness.later(pause, () => {
    if ((life.renewed.get(owner) ?? 0) > sentAt || run.endedAt !== undefined || life.clock.dead) return
    if (life.stoodStillWithin(sentAt, witness.now)) return
    const left = `${Math.round(remaining)} ms were left`
    witness.violate('keep-alive', `${life.node} did not renew ${name} again after a renewal had failed while ${left}`)
  })
}

/** A renewal that the store refuses is the end of the lease, at once: also of one that was taken away by hand, or forgotten. */
function expectLoss(witness: Witness, life: Life, { name, owner }: ExtendRequest): void {
  const run = witness.files.get(name)?.runs.get(owner)
  witness.later(1, () => {
    // A run that has ended relies on nothing: its release may have overtaken the renewal.
    if (run?.lock?.held && run.endedAt === undefined && !life.clock.dead)
      witness.violate('lost is known locally', `${life.node} relies on ${name} after a renewal was refused`)
  })
}

/** By all options that it may have begun with: a reload may have come between the ask and the run. */
function isKeptAlive({ life, job }: WitnessedRun, now: number): boolean {
  const versions = life.versions.get(job)?.filter(({ from }) => from <= now) ?? []
  return versions.length > 0 && versions.every(({ options }) => options.keepAlive)
}
