/* Several independent servers, asked side by side. */
import { StoreError } from '../../../src/errors.ts'
import type { ClientSource } from '../client.ts'
import { type ScriptReply, type ScriptRequest, ScriptRunner } from '../script-runner.ts'
import type { Script } from '../scripts.ts'

/** One of the servers. */
export class Member {
  readonly source: ClientSource
  readonly runner: ScriptRunner
  /** Whether it left the last question unanswered: nobody waits for it then, once a majority has spoken. */
  isLate = false

  constructor(source: ClientSource) {
    this.source = source
    this.runner = new ScriptRunner(source)
  }

  /** @throws {StoreError} at once when the connection was lost: a majority is elsewhere, and what waits in a client's queue would be sent when nobody waits for it any more. */
  async run(script: Script, requests: readonly ScriptRequest[]): Promise<ScriptReply[]> {
    if (this.source.isLost()) throw this.source.explain(new StoreError('Connection is closed'))
    const replies = await this.runner.run(script, requests)
    return replies.map((reply) => {
      if (reply instanceof Error) throw reply
      return reply
    })
  }
}

/** What one member had said when the asking ended: its answer, or why there is none. */
export type MemberReply<Answer> = { readonly reply: Answer } | { readonly error: unknown }

/** When enough have answered, the others are given as long again, and at least so long (ms): in health all answer, and nobody is left out. */
const STRAGGLERS = 20

/**
 * Asks all members at once. Ends when all have said something, when `enough` have and the others had their chance, or after `timeout` ms: who
 * is silent then has failed. What it was asked is still on its way; nothing that is sent to it later overtakes that on one connection.
 *
 * @param ask is given each member and its place
 */
export function sendToAll<Answer>(
  members: readonly Member[],
  timeout: number,
  ask: (member: Member, place: number) => Promise<Answer>,
  enough: (said: readonly MemberReply<Answer>[]) => boolean,
): Promise<MemberReply<Answer>[]> {
  const startedAt = performance.now()
  const said = members.map((): MemberReply<Answer> => ({ error: new StoreError(`no answer within ${timeout} ms`) }))
  const silent = new Set(members)
  return new Promise((resolve) => {
    const end = (): void => {
      ended = true
      clearTimeout(timer)
      for (const member of silent) member.isLate = true
      resolve([...said])
    }
    let timer = setTimeout(end, timeout)
    let [hurried, ended] = [false, false]
    const hurry = (): void => {
      hurried = true
      clearTimeout(timer)
      const elapsed = performance.now() - startedAt
      timer = setTimeout(end, Math.min(timeout - elapsed, Math.max(elapsed, STRAGGLERS)))
    }
    const settle = (member: Member, place: number, result: MemberReply<Answer>): void => {
      said[place] = result
      silent.delete(member)
      member.isLate = false
      if (ended) return
      const isEnough = enough(said)
      const nobodyToWaitFor = [...silent].every(({ isLate }) => isLate)
      if (silent.size === 0 || (isEnough && nobodyToWaitFor)) end()
      else if (isEnough && !hurried) hurry()
    }
    for (const [place, member] of members.entries()) {
      ask(member, place).then(
        (reply) => settle(member, place, { reply }),
        (error) => settle(member, place, { error }),
      )
    }
  })
}

/** The answers among what was said. */
export const repliesIn = <Answer>(said: readonly MemberReply<Answer>[]): Answer[] =>
  said.flatMap((one) => ('reply' in one ? [one.reply] : []))

/** Why no majority could be had. */
export function noMajority(said: readonly MemberReply<unknown>[]): StoreError {
  const errors = said.flatMap((one) => ('error' in one ? [one.error] : []))
  const message = `${said.length - errors.length} of ${said.length} Redis servers answered, and no majority agrees`
  return new StoreError(message, { cause: new AggregateError(errors, 'the servers that did not answer') })
}
