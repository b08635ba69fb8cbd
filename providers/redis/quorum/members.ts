/* Several independent servers, asked side by side. */
import { StoreError } from '../../../src/errors.ts'
import type { ClientSource } from '../connect.ts'
import { type ScriptAnswer, type ScriptRequest, ScriptRunner } from '../script-runner.ts'
import type { Script } from '../scripts.ts'

/** One of the servers. */
export class Member {
  readonly source: ClientSource
  readonly #runner: ScriptRunner

  constructor(source: ClientSource) {
    this.source = source
    this.#runner = new ScriptRunner(source)
  }

  run(script: Script, requests: readonly ScriptRequest[]): Promise<ScriptAnswer[]> {
    return this.#runner.run(script, requests)
  }
}

/** What one member had said when the asking ended: its answer, or why there is none. */
export type Said<Answer> = { readonly answer: Answer } | { readonly error: unknown }

/** When enough have answered, the others are given as long again, and at least so long (ms): in health all answer, and nobody is left out. */
const STRAGGLERS = 20

/**
 * Asks all members at once. Ends when all have said something, when `enough` have and the others had their chance, or after `timeout` ms: who
 * is silent then has failed. What it was asked is still on its way; nothing that is sent to it later overtakes that on one connection.
 *
 * @param ask is given each member and its place
 */
export function askAll<Answer>(
  members: readonly Member[],
  timeout: number,
  ask: (member: Member, place: number) => Promise<Answer>,
  enough: (said: readonly Said<Answer>[]) => boolean,
): Promise<Said<Answer>[]> {
  const startedAt = performance.now()
  const said = members.map((): Said<Answer> => ({ error: new StoreError(`no answer within ${timeout} ms`) }))
  let silent = members.length
  return new Promise((resolve) => {
    let timer = setTimeout(() => resolve([...said]), timeout)
    let hurried = false
    const settle = (place: number, result: Said<Answer>): void => {
      said[place] = result
      silent--
      if (silent > 0 && !hurried && enough(said)) {
        hurried = true
        clearTimeout(timer)
        const elapsed = performance.now() - startedAt
        const left = Math.min(timeout - elapsed, Math.max(elapsed, STRAGGLERS))
        timer = setTimeout(() => resolve([...said]), left)
      }
      if (silent > 0) return
      clearTimeout(timer)
      resolve([...said])
    }
    for (const [place, member] of members.entries()) {
      ask(member, place).then(
        (answer) => settle(place, { answer }),
        (error) => settle(place, { error }),
      )
    }
  })
}

/** The answers among what was said. */
export const answersIn = <Answer>(said: readonly Said<Answer>[]): Answer[] =>
  said.flatMap((one) => ('answer' in one ? [one.answer] : []))

/** Why no majority could be had. */
export function noMajority(said: readonly Said<unknown>[]): StoreError {
  const errors = said.flatMap((one) => ('error' in one ? [one.error] : []))
  const message = `${said.length - errors.length} of ${said.length} Redis servers answered, and no majority agrees`
  return new StoreError(message, { cause: new AggregateError(errors, 'the servers that did not answer') })
}
