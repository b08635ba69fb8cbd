import { type Case, type JudgedJob, judge, type Verdict } from '../../chaos/judge/judge.ts'
import type { Witnessed, WitnessLine } from '../../chaos/witness-line.ts'

/** One tick a second, at times that are whole seconds on both clocks. */
export const JOB: JudgedJob = {
  name: 'job',
  interval: 1_000,
  lockAtMostFor: 3_000,
  lockAtLeastFor: 0,
  graceFor: 30_000,
  onCrash: 'skip',
  catchesUp: false,
}
const EPOCH = 1_000_000

/** A witness written by hand: two nodes that were ready long before, and what a test adds. */
export class HandMadeWitness {
  readonly lines: WitnessLine[] = []
  #calls = 0
  #owners = 0

  constructor(...lives: readonly string[]) {
    for (const life of lives) {
      this.line(life, -60_000, { what: 'up', wall: EPOCH, pid: 1 })
      this.line(life, -50_000, { what: 'ready' })
    }
  }

  line(life: string, at: number, witnessed: Witnessed): this {
    this.lines.push({ at, life, ...witnessed })
    return this
  }

  /** An ask for the tick at that time, answered 2 ms later. Answers the owner. */
  ask(
    life: string,
    tick: number,
    answer?: { token: number; until: number } | { reason: string } | { failed: 'undecided' | 'unknown' },
    at = tick + 1,
  ): string {
    const call = ++this.#calls
    const asked = { job: JOB.name, owner: `owner-${++this.#owners}`, tick: EPOCH + tick }
    this.line(life, at, { what: 'asked', call, asks: [asked] })
    if (answer) this.line(life, at + 2, { what: 'answered', call, answers: [{ ...asked, ...answer }] })
    return asked.owner
  }

  /** A grant, and a run that has not ended. Answers the owner. */
  begin(life: string, tick: number, token: number, at = tick + 1): string {
    const owner = this.ask(life, tick, { token, until: at + JOB.lockAtMostFor }, at)
    const run = { job: JOB.name, tick: EPOCH + tick, token }
    this.line(life, at + 3, { what: 'begin', kind: 'schedule', until: at + JOB.lockAtMostFor, ...run })
    return owner
  }

  /** A run from the tick's time to 10 ms later, released; the other nodes are refused. */
  run(life: string, tick: number, token: number, ...refused: readonly string[]): this {
    const at = tick + 1
    const owner = this.begin(life, tick, token)
    for (const other of refused) this.ask(other, tick, { reason: 'held' })
    this.line(life, at + 10, { what: 'end', job: JOB.name, tick: EPOCH + tick, token })
    return this.release(life, owner, at + 11)
  }

  release(life: string, owner: string, at: number): this {
    this.line(life, at, { what: 'releasing', job: JOB.name, owner, tick: 1 })
    return this.line(life, at + 1, { what: 'released', job: JOB.name, owner, freed: true })
  }

  fault(kind: string, scope: string, from: number, until: number): this {
    const id = ++this.#calls
    return this.line('control.0', from, { what: 'fault', id, kind, scope }).line('control.0', until, {
      what: 'healed',
      id,
    })
  }

  killed(who: string, at: number): this {
    return this.line('control.0', at, { what: 'exited', who, how: 'SIGKILL' })
  }

  /** Judges the ticks from 0 s to this time. */
  judge(to: number, job: Partial<JudgedJob> = {}, changes: Partial<Case> = {}): Verdict {
    const lines = [...this.lines].sort((a, b) => a.at - b.at)
    return judge({ lines, jobs: [{ ...JOB, ...job }], epoch: EPOCH, from: 0, to, recovery: 5_000, ...changes })
  }

  /** The rules that were broken. */
  broken(to: number, job: Partial<JudgedJob> = {}): string[] {
    return [...new Set(this.judge(to, job).violations.map(({ rule }) => rule))]
  }
}
