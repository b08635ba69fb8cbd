import { type Answered, nodeOf, type WitnessLine } from '../witness-line.ts'
import {
  type Ask,
  type FaultTime,
  type Grant,
  type History,
  type Life,
  type Release,
  type RunOfTick,
  skipKey,
} from './history.ts'

/** Reads lines in order of time. */
export function readHistory(lines: readonly WitnessLine[]): History {
  const reader = new Reader()
  for (const line of lines) reader.read(line)
  return reader
}

class Reader implements History {
  readonly lives = new Map<string, Life>()
  readonly asks: Ask[] = []
  readonly grants: Grant[] = []
  readonly runs: RunOfTick[] = []
  readonly faults: FaultTime[] = []
  readonly skips = new Set<string>()
  readonly #open = new Map<string, Ask[]>()
  readonly #asksOf = new Map<string, Ask[]>()
  readonly #grantsOf = new Map<string, Grant[]>()
  readonly #releases = new Map<string, Release>()
  readonly #firstAsk = new Map<string, number>()
  readonly #running = new Map<string, RunOfTick>()
  readonly #faultById = new Map<number, FaultTime>()

  read(line: WitnessLine): void {
    switch (line.what) {
      case 'asked':
      case 'answered':
      case 'extended':
      case 'releasing':
      case 'released':
        this.#readStore(line)
        break
      case 'begin':
      case 'end':
      case 'lost':
        this.#readRun(line)
        break
      case 'skipped':
      case 'missed':
        this.skips.add(skipKey(line.life, line.job, line.tick, line.reason))
        break
      case 'fault':
      case 'healed':
        this.#readFault(line)
        break
      case 'exited':
        this.#over(line.who, line.at).how = line.how
        break
      default:
        this.#readLife(line)
    }
  }

  asksOf(life: string, job: string, tick: number): readonly Ask[] {
    return this.#asksOf.get(`${life} ${job} ${tick}`) ?? []
  }

  #readLife({ what, life, at, ...line }: WitnessLine): void {
    if (what === 'up') this.#life(life)
    else if (what === 'ready') this.#life(life).readyAt = at
    else if (what === 'stopping') this.#over(life, at)
    else if (what === 'stalled' && 'from' in line) this.#life(life).stalls.push({ from: line.from, until: at })
  }

  #readStore(line: WitnessLine): void {
    const { life, at } = line
    if (line.what === 'asked') {
      const asks = line.asks.map((ask) => this.#ask(ask, life, at))
      this.#open.set(`${life} ${line.call}`, asks)
    } else if (line.what === 'answered') this.#answered(life, line.call, line.answers, at)
    if (line.what === 'extended') this.#extended(line)
    if (line.what === 'releasing') {
      const release = this.#release(line.owner)
      release.startedAt = Math.min(release.startedAt, at)
      // What was released as unused after its loss is not marked by a release that comes later.
      if (release.freedAt === undefined) release.marked ||= line.tick !== undefined
    } else if (line.what === 'released' && line.freed) this.#release(line.owner).freedAt ??= at
  }

  /** An owner that asks again after its lease has lapsed unheard is granted another: only the one with this token is extended. */
  #extended({ owner, token, until }: Extract<WitnessLine, { what: 'extended' }>): void {
    for (const grant of this.#grantsOf.get(owner) ?? []) {
      if (grant.token !== token) continue
      grant.storeUntil = Math.max(grant.storeUntil, grant.storeUntil + until - grant.until)
      grant.until = Math.max(grant.until, until)
    }
  }

  #release(owner: string): Release {
    const known = this.#releases.get(owner)
    if (known) return known
    const none = { startedAt: Number.POSITIVE_INFINITY, freedAt: undefined, marked: false }
    this.#releases.set(owner, none)
    return none
  }

  #readRun(line: WitnessLine): void {
    if (line.what === 'begin') this.#begun(line, line.life, line.at)
    if (line.what !== 'end' && line.what !== 'lost') return
    const run = this.#running.get(`${line.life} ${line.job} ${line.token}`)
    if (run && line.what === 'end') run.endedAt = line.at
    else if (run) run.lostAt = line.at
  }

  #readFault(line: WitnessLine): void {
    if (line.what === 'fault') {
      const fault = { kind: line.kind, scope: line.scope, from: line.at, until: Number.POSITIVE_INFINITY }
      this.#faultById.set(line.id, fault)
      this.faults.push(fault)
    } else if (line.what === 'healed') {
      const fault = this.#faultById.get(line.id)
      if (fault) fault.until = line.at
    }
  }

  #over(name: string, at: number): Life {
    const life = this.#life(name)
    life.until = Math.min(life.until, at)
    return life
  }

  #life(life: string): Life {
    const known = this.lives.get(life)
    if (known) return known
    const never = Number.POSITIVE_INFINITY
    const born = { life, node: nodeOf(life), readyAt: never, until: never, how: undefined, stalls: [] }
    this.lives.set(life, born)
    return born
  }

  #ask({ job, tick, owner }: Pick<Answered, 'job' | 'tick' | 'owner'>, life: string, sentAt: number): Ask {
    const ask = { job, tick, owner, life, sentAt, answeredAt: undefined, answer: undefined, undecided: false }
    this.asks.push(ask)
    const key = `${life} ${job} ${tick}`
    this.#asksOf.set(key, [...(this.#asksOf.get(key) ?? []), ask])
    if (!this.#firstAsk.has(owner)) this.#firstAsk.set(owner, sentAt)
    return ask
  }

  #answered(life: string, call: number, answers: readonly Answered[], at: number): void {
    for (const [index, ask] of (this.#open.get(`${life} ${call}`) ?? []).entries()) {
      const answer = answers[index]
      if (answer?.failed) {
        ask.undecided = answer.failed === 'undecided'
        continue
      }
      ask.answeredAt = at
      ask.answer = answer
      if (answer?.token === undefined || answer.until === undefined) continue
      const { owner, token, until } = answer
      const storeUntil = until + at - ask.sentAt
      const grants = this.#grantsOf.get(owner) ?? []
      this.#grantsOf.set(owner, grants)
      const known = grants.find((grant) => grant.token === token)
      if (known) {
        known.until = Math.max(known.until, until)
        known.storeUntil = Math.max(known.storeUntil, storeUntil)
        continue
      }
      const { job, tick } = ask
      const askedAt = this.#firstAsk.get(owner) ?? ask.sentAt
      const release = this.#release(owner)
      const grant = { job, tick, owner, life, token, askedAt, knownAt: at, until, storeUntil, release }
      grants.push(grant)
      this.grants.push(grant)
    }
  }

  #begun(line: Extract<WitnessLine, { what: 'begin' }>, life: string, begunAt: number): void {
    const { job, tick, token, kind } = line
    const run = { job, tick, token, life, kind, begunAt, endedAt: undefined, lostAt: undefined }
    this.runs.push(run)
    this.#running.set(`${life} ${job} ${token}`, run)
  }
}
