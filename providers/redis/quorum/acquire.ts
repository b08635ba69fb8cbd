/*
 * An acquisition on a majority of independent servers, in two steps: votes, then their confirmation.
 *
 *   1. The provider requests a vote of every server, which is a grant by its own record and clock, kept as open.
 *   2. With a majority of votes, the highest of their tokens is written to the servers that voted, and closes the votes. When a majority has it,
 *      the lock is granted; else nobody was told anything, and the votes are taken back.
 *
 * The races, and why none lets two in or turns a token back:
 *   - Two owners: any two majorities share a server, and a server has one open or confirmed vote at a time.
 *   - Tokens: the server that two confirmed grants share voted for the later one with a token above the one that was written to it before.
 *     A confirmation that comes too late finds another vote there, and fails.
 *   - A tick: a majority remembers it before the job runs; a later majority meets one of these, which refuses it.
 *   - A split vote: who has most votes (the smaller owner where that is equal) keeps them, and the others take theirs back and ask again. All
 *     see the same votes, so they agree on who that is.
 *   - A crash between the steps: open votes expire with the lease, and leave nothing of the tick behind.
 *   - A withdrawal that is late: it names its ballot, and each asking after a withdrawal is a new one.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { AcquireRequest, AcquireResult, Settled } from '../../../src/provider/contract.ts'
import { unreadableIn, unreadableRecord } from '../format.ts'
import { whoOf } from '../replies.ts'
import { quorumScripts } from './lua.ts'
import { type MemberReply, noMajority } from './members.ts'
import type { Quorum } from './quorum.ts'
import { leaseOf } from './seen.ts'
import { type Given, tally, type Vote } from './tally.ts'
import { givenToVote, toVote } from './votes.ts'

/** One request on its way to an answer. */
interface Candidate {
  readonly request: AcquireRequest
  ballot: string
  votes: readonly Vote[]
  /** Why a server can't vote: its record can't be read. */
  unreadable?: Error | undefined
  result?: Settled<AcquireResult>
}

/** Split votes are tried again for as many timeouts. */
const TIMEOUTS_TO_WAIT = 4

/** @param requests each for another name */
export async function acquireByVote(
  quorum: Quorum,
  requests: readonly AcquireRequest[],
): Promise<Settled<AcquireResult>[]> {
  const candidates = requests.map((request): Candidate => ({ request, ballot: randomUUID(), votes: [] }))
  const giveUpAt = performance.now() + TIMEOUTS_TO_WAIT * quorum.timeout
  for (let round = 1; ; round++) {
    const open = candidates.filter(({ result }) => !result)
    if (open.length === 0) return candidates.map(({ result }) => result as Settled<AcquireResult>)
    const said = await requestVotes(quorum, open)
    const { kept, failed } = await decide(quorum, open, said)
    if (failed || performance.now() > giveUpAt) {
      await withdraw(
        quorum,
        open.filter(({ result }) => !result),
      )
      throw noMajority(said)
    }
    // Those who keep their votes ask first, when the others have taken theirs back.
    if (candidates.some(({ result }) => !result)) await pause(1 + Math.random() * 5 * (kept ? 1 : 1 + round))
  }
}

async function requestVotes(quorum: Quorum, open: readonly Candidate[]): Promise<readonly MemberReply<unknown>[]> {
  const told = open.map(({ request, ballot }) => ({ name: request.name, ...givenToVote(request, ballot) }))
  const { said, replies } = await quorum.ask(
    quorumScripts.vote,
    () => told,
    (answered) =>
      open.every((_, index) => {
        const outcomes = answered.map((of) => String(of[index]?.value)).filter((outcome) => !unreadableIn(outcome))
        const given = outcomes.filter((outcome) => outcome.startsWith('granted ')).length
        return given >= quorum.size || outcomes.length - given >= quorum.size
      }),
  )
  for (const [index, candidate] of open.entries()) {
    const { name } = candidate.request
    candidate.votes = replies.flatMap(({ of, place, ahead }) => {
      const reply = of[index]
      const found = reply && unreadableIn(reply.value)
      if (found) candidate.unreadable = unreadableRecord(name, quorum.keyOf(name), found, reply.storeTime).unreadable
      return reply && !found ? [toVote(candidate.request, reply, place, ahead)] : []
    })
  }
  return said
}

async function decide(quorum: Quorum, open: readonly Candidate[], said: readonly MemberReply<unknown>[]) {
  const tallies = open.map((candidate) => ({ candidate, ...tally(candidate.request, candidate.votes, quorum.size) }))
  const won = tallies.flatMap((one) => (one.outcome === 'won' ? [{ candidate: one.candidate, votes: one.votes }] : []))
  await confirm(quorum, won)
  const leaving: Candidate[] = []
  let kept = false
  for (const one of tallies) {
    const { candidate, outcome } = one
    if (outcome === 'refused') candidate.result = one.result
    if (outcome === 'failed' && candidate.unreadable) candidate.result = candidate.unreadable
    if (isGranted(candidate)) continue
    if (outcome === 'split' && one.ahead) kept = true
    // A server that said nothing may have voted.
    else if (candidate.votes.some(({ granted }) => granted) || said.some((each) => 'error' in each))
      leaving.push(candidate)
  }
  await withdraw(quorum, leaving)
  return { kept, failed: tallies.some(({ candidate, outcome }) => outcome === 'failed' && !candidate.result) }
}

const isGranted = ({ result }: Candidate): boolean =>
  result !== undefined && !(result instanceof Error) && result.granted

/** Writes the token to the servers that voted, and answers those whose token a majority has then. */
async function confirm(
  quorum: Quorum,
  won: readonly { readonly candidate: Candidate; readonly votes: readonly Given[] }[],
): Promise<void> {
  const agreed = won.map(({ candidate, votes }) => {
    const token = Math.max(...votes.map(({ seen }) => seen.record.fencingToken))
    return { candidate, votes, token, ...confirmedBefore(votes, quorum.size) }
  })
  const grant = ({ candidate, token }: (typeof agreed)[number], votes: readonly Given[]): void => {
    const { name, owner } = candidate.request
    const held = votes.map(({ seen }) => seen)
    const lease = { ...leaseOf(name, owner, held, quorum.size), fencingToken: token }
    candidate.result = { granted: true, lease, rerun: votes.some(({ rerun }) => rerun) }
  }
  for (const one of agreed) if (one.before) grant(one, one.before)
  const unconfirmed = agreed.filter(({ before }) => !before)
  if (unconfirmed.length === 0) return
  const ofPlace = (place: number) => unconfirmed.filter(({ votes }) => votes.some((vote) => vote.place === place))
  const { replies } = await quorum.ask(
    quorumScripts.confirm,
    (place) =>
      ofPlace(place).map(({ candidate, votes, token }) => {
        const own = votes.find((vote) => vote.place === place)?.seen.record.fencingToken
        return {
          name: candidate.request.name,
          terms: '',
          who: `${whoOf(candidate.request)} ${candidate.ballot} ${own} ${token}`,
        }
      }),
    () => false,
  )
  const confirmed = new Map<Candidate, Given[]>()
  for (const { of, place } of replies) {
    for (const [index, { candidate, votes }] of ofPlace(place).entries()) {
      const vote = votes.find((each) => each.place === place)
      if (vote && Number(of[index]?.value) === 1) confirmed.set(candidate, [...(confirmed.get(candidate) ?? []), vote])
    }
  }
  for (const one of unconfirmed) {
    const votes = confirmed.get(one.candidate) ?? []
    if (votes.length >= quorum.size) grant(one, votes)
  }
}

/** This owner asks again for what a majority has confirmed before: the same token. */
function confirmedBefore(votes: readonly Given[], size: number) {
  const closed = votes.filter(({ seen }) => !seen.open)
  for (const { seen } of closed) {
    const token = seen.record.fencingToken
    const same = closed.filter((vote) => vote.seen.record.fencingToken === token)
    if (same.length >= size) return { token, before: same }
  }
  return { before: undefined }
}

/** Takes back what was, or may have been, voted, and makes the next asking another ballot. */
async function withdraw(quorum: Quorum, leaving: readonly Candidate[]): Promise<void> {
  if (leaving.length === 0) return
  const told = leaving.map(({ request, ballot }) => ({
    name: request.name,
    terms: '',
    who: `${whoOf(request)} ${ballot}`,
  }))
  for (const candidate of leaving) candidate.ballot = randomUUID()
  await quorum.ask(
    quorumScripts.withdraw,
    () => told,
    (answered) => answered.length >= quorum.size,
  )
}
