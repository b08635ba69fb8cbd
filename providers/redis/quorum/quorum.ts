import { unreadableIn } from '../format.ts'
import type { KeySpace } from '../keys.ts'
import { repair } from '../repair.ts'
import type { Given, ScriptReply } from '../script-runner.ts'
import type { Script } from '../scripts.ts'
import { type Member, type MemberReply, noMajority, repliesIn, sendToAll } from './members.ts'
import { clocksAhead } from './seen.ts'

/** What a script is told about one name. */
export interface QuorumReply extends Given {
  readonly name: string
}

/** What one server answered, one answer for each name that it was told. */
export interface MajorityReply {
  readonly place: number
  readonly of: readonly ScriptReply[]
  /** How far its clock is ahead of the middle one, in ms. */
  readonly ahead: number
}

/** The servers as one: how many are a majority, and how they are asked. */
export class Quorum {
  readonly members: readonly Member[]
  /** A majority. */
  readonly size: number
  readonly timeout: number
  readonly #space: KeySpace
  readonly #ahead: number[]

  constructor(members: readonly Member[], space: KeySpace, timeout: number) {
    this.members = members
    this.size = Math.floor(members.length / 2) + 1
    this.timeout = timeout
    this.#space = space
    this.#ahead = members.map(() => 0)
  }

  /** How far a server's clock was last seen to be ahead of the middle one, in ms. */
  aheadOf(place: number): number {
    return this.#ahead[place] ?? 0
  }

  /** Runs a script on all servers. */
  async ask(
    script: Script,
    toldTo: (place: number) => readonly QuorumReply[],
    enough: (answered: readonly (readonly ScriptReply[])[]) => boolean,
  ): Promise<{
    readonly said: readonly MemberReply<readonly ScriptReply[]>[]
    readonly replies: readonly MajorityReply[]
  }> {
    const sentAt = performance.now()
    const said = await sendToAll<readonly ScriptReply[]>(
      this.members,
      this.timeout,
      (member, place) => {
        const requests = toldTo(place).map(({ name, terms, who }) => ({ keys: this.#space.keysOf(name), terms, who }))
        return member.run(script, requests)
      },
      (soFar) => enough(repliesIn(soFar)),
    )
    const byPlace = said.map((one) => ('reply' in one ? one.reply : undefined))
    const ahead = clocksAhead(byPlace, performance.now() - sentAt)
    const replies = byPlace.flatMap((of, place) => {
      if (!of) return []
      this.#ahead[place] = ahead[place] ?? 0
      return [{ place, of, ahead: ahead[place] ?? 0 }]
    })
    return { said, replies }
  }

  keyOf(name: string): string {
    return this.#space.keysOf(name).record
  }

  /** Repairs a record on the server at this place. */
  async repair(place: number, name: string, reply: ScriptReply, now: number): Promise<boolean> {
    const member = this.members[place]
    return member !== undefined && (await repair(member.runner, name, this.#space.keysOf(name), reply, now))
  }

  /** The same, of which a majority must answer; with records that can be read, if it can be had. */
  async sendToMajority(
    script: Script,
    toldTo: (place: number) => readonly QuorumReply[],
  ): Promise<readonly MajorityReply[]> {
    const { said, replies } = await this.ask(script, toldTo, (answered) => {
      const readable = answered.filter((of) => !of.some(({ value }) => unreadableIn(value)))
      return readable.length >= this.size
    })
    if (replies.length < this.size) throw noMajority(said)
    return replies
  }
}
