/* Runs the scripts for requests by name, each of which may fail alone. */

import type { LockRecord, Settled, UnreadableRecord } from '../../src/provider/contract.ts'
import { compareNames } from '../../src/provider/record.ts'
import { unreadableIn, unreadableRecord } from './format.ts'
import type { KeySpace } from './keys.ts'
import { repair } from './repair.ts'
import { readResult, yes } from './replies.ts'
import type { Given, ScriptReply, ScriptRequest, ScriptRunner } from './script-runner.ts'
import type { Script, Scripts } from './scripts.ts'

export interface Named {
  readonly name: string
}

export const named = (names: Iterable<string>): Named[] => Array.from(names, (name) => ({ name }))

export class Locks {
  readonly #space: KeySpace
  readonly #runner: ScriptRunner
  readonly #scripts: Scripts

  constructor(space: KeySpace, runner: ScriptRunner, scripts: Scripts) {
    this.#space = space
    this.#runner = runner
    this.#scripts = scripts
  }

  async run<Request extends Named, Result>(
    script: Script,
    requests: readonly Request[],
    givenTo: (request: Request) => Given,
    resultOf: (request: Request, reply: ScriptReply) => Result,
  ): Promise<Settled<Result>[]> {
    const replies = await this.#call(script, requests, givenTo)
    return replies.map((reply, index) => {
      const request = requests[index] as Request
      if (reply instanceof Error) return reply
      return this.#failureIn(request.name, reply)?.unreadable ?? resultOf(request, reply)
    })
  }

  /** Runs a script for one name. */
  async runOne(script: Script, name: string, terms: string): Promise<boolean> {
    const [result] = await this.run(script, [{ name }], () => ({ terms }), yes)
    if (result instanceof Error) throw result
    return result === true
  }

  /** The same, but a record that can't be read is repaired first, again if somebody else changes it meanwhile. */
  async runRepairing(script: Script, name: string, terms: string): Promise<boolean> {
    for (let didRepair = false; ; ) {
      const [reply] = await this.#call(script, [{ name }], () => ({ terms }))
      if (reply === undefined || reply instanceof Error) throw reply
      if (!unreadableIn(reply.value)) return didRepair || yes(name, reply)
      didRepair = (await repair(this.#runner, name, this.#space.keysOf(name), reply)) || didRepair
    }
  }

  /** How many records were deleted. */
  async prune(names: readonly Named[], olderThanMs: number): Promise<number> {
    const replies = await this.#call(this.#scripts.prune, names, () => ({ terms: String(olderThanMs) }))
    return replies.filter((reply) => yes(undefined, orThrow(reply))).length
  }

  async read(names: readonly Named[]): Promise<(LockRecord | UnreadableRecord)[]> {
    const replies = await this.#call(this.#scripts.read, names, () => ({ terms: '' }))
    const found = replies.map((reply, index) => {
      const request = names[index] as Named
      return this.#failureIn(request.name, orThrow(reply)) ?? readResult(request, orThrow(reply))
    })
    return found.filter((record) => record !== undefined).sort(compareNames)
  }

  #call<Request extends Named>(
    script: Script,
    requests: readonly Request[],
    givenTo: (request: Request) => Given,
  ): Promise<Settled<ScriptReply>[]> {
    const made = requests.map((request): ScriptRequest => {
      const { terms, who } = givenTo(request)
      return { keys: this.#space.keysOf(request.name), terms, who }
    })
    return this.#runner.run(script, made)
  }

  #failureIn(name: string, reply: ScriptReply): UnreadableRecord | undefined {
    const found = unreadableIn(reply.value)
    if (!found) return undefined
    const keys = this.#space.keysOf(name)
    return unreadableRecord(name, keys[found.which] ?? keys.record, found, reply.storeTime)
  }
}

function orThrow<Value>(result: Settled<Value>): Value {
  if (result instanceof Error) throw result
  return result
}
