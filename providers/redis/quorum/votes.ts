/* Turns acquisitions into what the voting script is given, and its replies into votes. */
import type { AcquireRequest, Refused } from '../../../src/provider/contract.ts'
import { acquireTerms, whoOf, wordAndRest } from '../replies.ts'
import type { Given, ScriptReply } from '../script-runner.ts'
import { seenAs } from './seen.ts'
import type { Vote } from './tally.ts'

export const givenToVote = (request: AcquireRequest, ballot: string): Given => ({
  terms: acquireTerms(request),
  who: `${whoOf(request)} ${ballot}`,
})

/** @param ahead how far the server's clock is ahead of the common one, in ms */
export function toVote(
  { name, tick }: AcquireRequest,
  { value, storeTime }: ScriptReply,
  place: number,
  ahead: number,
): Vote {
  const [outcome, more] = wordAndRest(value)
  const [state, text] = wordAndRest(more)
  const seen = text === '' ? undefined : seenAs(name, text, storeTime, ahead)
  // Of an open vote the last tick is the one before it.
  const rerun = seen?.open === true && tick !== undefined && seen.record.lastTick === tick
  if (outcome === 'granted' && seen) return { granted: true, place, seen, rerun }
  const reason = outcome as Refused['reason']
  return { granted: false, reason, open: state === 'open', seen, storeTime: storeTime - ahead }
}
