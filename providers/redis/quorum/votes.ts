/* Turns acquisitions into what the voting script is told, and its answers into votes. */
import type { AcquireRequest, Refused } from '../../../src/provider/contract.ts'
import { acquireArgs } from '../records.ts'
import type { ScriptAnswer } from '../script-runner.ts'
import { type Seen, seenAs } from './seen.ts'
import type { Vote } from './tally.ts'

export const acquireVoteArgs = (request: AcquireRequest, ballot: string): string[] => [...acquireArgs(request), ballot]

/** @param ahead how far the server's clock is ahead of the common one, in ms */
export function toVote(name: string, { value, storeTime }: ScriptAnswer, place: number, ahead: number): Vote {
  const [outcome, fields, open] = value as ['granted' | Refused['reason'], unknown, number | string]
  const seen = seenAs(name, fields, storeTime, ahead)
  if (outcome === 'granted') return { granted: true, place, seen: seen as Seen }
  return { granted: false, reason: outcome, open: Number(open) === 1, seen, storeTime: storeTime - ahead }
}
