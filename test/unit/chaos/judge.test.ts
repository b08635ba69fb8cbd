import { describe, expect, it } from 'vitest'
import { HandMadeWitness } from './hand-made-witness.ts'

const A = 'node-1.0'
const B = 'node-2.0'
/** Judges no tick, only what was done. */
const NONE_DUE = -1

describe('the judge of chaos', () => {
  it('finds nothing wrong with ticks that ran once, on either node', () => {
    const verdict = new HandMadeWitness(A, B).run(A, 0, 10, B).run(B, 1_000, 20, A).judge(1_000)
    expect(verdict).toEqual({ due: 2, run: 2, rerun: 0, runs: 2, excused: {}, violations: [] })
  })

  describe('once per tick', () => {
    it('sees a tick that two nodes ran one after another', () => {
      expect(new HandMadeWitness(A, B).run(A, 0, 10).run(B, 0, 20).broken(0)).toContain('once per tick')
    })

    it('sees a second run after a crash of a job that is not to be run again', () => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.killed(A, 100).begin(B, 0, 20, 3_500)
      expect(witness.broken(0)).toEqual(['once per tick'])
    })

    it('sees nothing wrong with a second run after a crash of a job that is to be run again', () => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.ask(B, 0, { reason: 'held' })
      witness.killed(A, 100).begin(B, 0, 20, 3_500)
      expect(witness.judge(0, { onCrash: 'rerun' })).toMatchObject({ run: 1, rerun: 1, violations: [] })
    })

    it.each([
      ['before the lease of the first had lapsed', 20, 2_000],
      ['with no higher token', 9, 3_500],
    ])('sees a second run after a crash %s', (_, token, at) => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.killed(A, 100).begin(B, 0, token, at)
      expect(witness.broken(0, { onCrash: 'rerun' })).toContain('once per tick')
    })

    it('has nothing against a second run after the first lost its lease and released it as unused', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      witness.line(A, 3_001, { what: 'lost', job: 'job', tick: 1_000_000, token: 10 })
      witness.line(A, 3_010, { what: 'releasing', job: 'job', owner })
      witness.line(A, 3_020, { what: 'released', job: 'job', owner, freed: true })
      witness.begin(B, 0, 20, 3_500)
      witness.line(A, 4_000, { what: 'releasing', job: 'job', owner, tick: 1_000_000 })
      expect(witness.broken(0, { onCrash: 'rerun' })).toEqual([])
    })

    it('has nothing against it either when an extension reached the store after the loss', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      witness.line(A, 3_001, { what: 'lost', job: 'job', tick: 1_000_000, token: 10 })
      witness.line(A, 3_005, { what: 'extended', job: 'job', owner, token: 10, until: 5_000 })
      witness.line(A, 3_010, { what: 'releasing', job: 'job', owner })
      witness.line(A, 3_020, { what: 'released', job: 'job', owner, freed: true })
      witness.begin(B, 0, 20, 3_500)
      expect(witness.broken(0, { onCrash: 'rerun' })).toEqual([])
    })

    it('sees a second run while the first has its lease extended', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      witness.line(A, 2_000, { what: 'extended', job: 'job', owner, token: 10, until: 5_000 })
      witness.begin(B, 0, 20, 3_500)
      expect(witness.broken(0, { onCrash: 'rerun' })).toContain('once per tick')
    })

    it('sees a second run of a tick that had ended', () => {
      const witness = new HandMadeWitness(A, B).run(A, 0, 10, B)
      witness.begin(B, 0, 20, 3_500)
      expect(witness.broken(0, { onCrash: 'rerun' })).toEqual(['once per tick'])
    })
  })

  describe('one holder', () => {
    it('sees two that rely on their leases at the same time', () => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.begin(B, 1_000, 20)
      expect(witness.broken(NONE_DUE)).toEqual(['one holder'])
    })

    it('sees it also when the first was extended by then', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      witness.line(A, 2_000, { what: 'extended', job: 'job', owner, token: 10, until: 5_000 })
      witness.begin(B, 4_000, 20)
      expect(witness.broken(NONE_DUE)).toEqual(['one holder'])
    })

    it('has nothing against an owner that is granted a tick once more when its first lease has lapsed, and extends that', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      const asked = { job: 'job', owner, tick: 1_000_000 }
      witness.line(A, 3_100, { what: 'asked', call: 99, asks: [asked] })
      witness.line(A, 3_102, { what: 'answered', call: 99, answers: [{ ...asked, token: 20, until: 6_100 }] })
      witness.line(A, 4_100, { what: 'extended', job: 'job', owner, token: 20, until: 7_100 })
      expect(witness.broken(NONE_DUE)).toEqual([])
    })

    it('sees it also when the first node had been killed meanwhile: its lease holds on', () => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.killed(A, 500).begin(B, 1_000, 20)
      expect(witness.broken(NONE_DUE)).toEqual(['one holder'])
    })

    it('has nothing against a holder that began to give its lease back before', () => {
      const witness = new HandMadeWitness(A, B)
      const owner = witness.begin(A, 0, 10)
      witness.line(A, 900, { what: 'releasing', job: 'job', owner }).begin(B, 1_000, 20)
      expect(witness.broken(NONE_DUE)).toEqual([])
    })
  })

  it('has nothing against one that gave back a grant before it knew of it', () => {
    const witness = new HandMadeWitness(A, B)
    const asked = { job: 'job', owner: 'late', tick: 1_000_000 }
    witness
      .line(A, 0, { what: 'asked', call: 99, asks: [asked] })
      .line(A, 500, { what: 'releasing', job: 'job', owner: 'late' })
    witness.line(A, 600, { what: 'answered', call: 99, answers: [{ ...asked, token: 5, until: 3_000 }] })
    witness.line(A, 601, { what: 'released', job: 'job', owner: 'late', freed: true })
    witness.begin(B, 1_000, 20)
    expect(witness.broken(NONE_DUE)).toEqual([])
  })

  describe('fencing', () => {
    it.each([
      ['goes back', 9],
      ['repeats', 10],
    ])('sees a token that %s', (_, token) => {
      expect(new HandMadeWitness(A, B).run(A, 0, 10, B).run(B, 1_000, token, A).broken(1_000)).toEqual(['fencing'])
    })

    it('does not order grants that were asked for at the same time', () => {
      const witness = new HandMadeWitness(A, B)
      const late = { what: 'asked', call: 99, asks: [{ job: 'job', owner: 'late', tick: 1_000_000 }] } as const
      witness.line(B, 0, late).run(A, 0, 10)
      const answer = { job: 'job', owner: 'late', tick: 1_000_000, token: 5, until: 0 }
      witness.line(B, 400, { what: 'answered', call: 99, answers: [answer] })
      expect(witness.broken(0)).toEqual([])
    })
  })

  describe('loss', () => {
    const overlong = (): HandMadeWitness => {
      const witness = new HandMadeWitness(A)
      witness.begin(A, 0, 10)
      return witness.line(A, 6_000, { what: 'end', job: 'job', tick: 1_000_000, token: 10 })
    }

    it('sees a run that was never told of the end of its lease', () => {
      expect(overlong().broken(0)).toEqual(['lost is known'])
    })

    it('has nothing against one that was told, or that did not get to run meanwhile', () => {
      expect(overlong().line(A, 3_010, { what: 'lost', job: 'job', tick: 1_000_000, token: 10 }).broken(0)).toEqual([])
      expect(overlong().line(A, 5_990, { what: 'stalled', from: 2_000 }).broken(0)).toEqual([])
    })
  })

  describe('liveness', () => {
    it('sees a tick for which nobody asked', () => {
      const { violations, ...counts } = new HandMadeWitness(A).run(A, 0, 10).judge(1_000)
      expect(counts).toMatchObject({ due: 2, run: 1 })
      expect(violations.map(({ rule }) => rule)).toEqual(['node part', 'liveness'])
    })

    it('sees one that a fit node was refused because of a lock that nobody had', () => {
      const witness = new HandMadeWitness(A)
      witness.ask(A, 0, { reason: 'held' })
      expect(witness.broken(0)).toEqual(['liveness'])
    })

    it('sees one that was refused as taken, though nobody took it', () => {
      const witness = new HandMadeWitness(A)
      witness.ask(A, 0, { reason: 'tick-taken' })
      expect(witness.broken(0)).toEqual(['liveness'])
    })

    it('sees one that was granted and did not run', () => {
      const witness = new HandMadeWitness(A, B)
      witness.ask(A, 0, { token: 10, until: 3_000 })
      witness.ask(B, 0, { reason: 'tick-taken' }, 10)
      expect(witness.broken(0)).toEqual(['liveness'])
    })

    it('has nothing against one whose own record was locked or unreadable, and soon after that', () => {
      for (const kind of ['row-locked', 'record-poisoned']) {
        const witness = new HandMadeWitness(A).fault(kind, 'job', -500, -200)
        expect(witness.judge(0)).toMatchObject({
          violations: [],
          excused: { 'its record was locked or unreadable': 1 },
        })
      }
    })

    it('sees one that was missed while the record of another job was bad, or long after', () => {
      for (const [scope, until] of [
        ['another', 5_000],
        ['job', -2_000],
      ] as const) {
        const witness = new HandMadeWitness(A).fault('row-locked', scope, -5_000, until)
        expect(witness.broken(0)).toEqual(['node part', 'liveness'])
      }
    })

    it('does not take a request that failed alone for one that was answered', () => {
      const witness = new HandMadeWitness(A)
      witness.ask(A, 0, { failed: 'undecided' })
      expect(witness.broken(0)).toEqual(['node part', 'liveness'])
      expect(witness.run(A, 0, 10).broken(0)).toEqual([])
    })

    it('sees one that came when all faults had been over for as long as they may last on', () => {
      const witness = new HandMadeWitness(A).fault('store-killed', 'store', -9_000, -5_100)
      expect(witness.broken(0)).toContain('liveness')
    })

    it.each([
      [
        'the store was down',
        (witness: HandMadeWitness) => witness.fault('store-killed', 'store', -100, 500),
        'the store was down or just back',
      ],
      [
        'the store was just back',
        (witness: HandMadeWitness) => witness.fault('store-killed', 'store', -9_000, -4_900),
        'the store was down or just back',
      ],
      [
        'the node was cut off',
        (witness: HandMadeWitness) => witness.fault('black-hole', 'node-1', -100, 500),
        'no node was fit',
      ],
      ['the node was killed', (witness: HandMadeWitness) => witness.killed(A, -10), 'no node was fit'],
      [
        'the node did not get to run',
        (witness: HandMadeWitness) => witness.line(A, 100, { what: 'stalled', from: -300 }),
        'no node was fit',
      ],
    ])('excuses a tick when %s', (_, befall, reason) => {
      expect(befall(new HandMadeWitness(A)).judge(0)).toMatchObject({ excused: { [reason]: 1 }, violations: [] })
    })

    it('does not excuse it by a fault of another node', () => {
      expect(new HandMadeWitness(A, B).fault('black-hole', 'node-2', -100, 500).broken(0)).toContain('liveness')
    })

    it('excuses a tick while the lock is held: by a run, a crash, or a request whose answer was lost', () => {
      const run = new HandMadeWitness(A, B)
      run.begin(A, 0, 10)
      run.ask(B, 1_000, { reason: 'held' })
      run.line(A, 1_000, { what: 'skipped', job: 'job', tick: 1_001_000, kind: 'schedule', reason: 'running' })
      run.ask(B, 0, { reason: 'held' })
      expect(run.judge(1_000)).toMatchObject({ excused: { 'its last run went on': 1 }, violations: [] })

      const crash = new HandMadeWitness(A, B)
      crash.begin(A, 0, 10)
      crash.ask(B, 0, { reason: 'held' })
      crash.killed(A, 500).ask(B, 1_000, { reason: 'held' })
      expect(crash.judge(1_000)).toMatchObject({ excused: { 'the lock was held': 1 }, violations: [] })

      const lost = new HandMadeWitness(A, B).fault('replies-lost', 'node-1', -100, 3_000)
      lost.ask(A, 0)
      lost.ask(B, 0, { reason: 'held' }, 10)
      expect(lost.judge(0)).toMatchObject({ excused: { 'the lock was held': 1 }, violations: [] })
    })

    it('excuses a tick that another node was granted while the machine was so busy that a process did not get to run', () => {
      const witness = new HandMadeWitness(A, B, 'node-3.1')
      witness.ask(A, 0, { token: 10, until: 3_000 })
      witness.ask(B, 0, { reason: 'tick-taken' }, 10)
      witness.line('node-3.1', 600, { what: 'stalled', from: 100 })
      expect(witness.judge(0)).toMatchObject({ excused: { 'the machine was busy': 1 }, violations: [] })
      const calm = new HandMadeWitness(A, B, 'node-3.1')
      calm.ask(A, 0, { token: 10, until: 3_000 })
      calm.ask(B, 0, { reason: 'tick-taken' }, 10)
      calm.line('node-3.1', 9_600, { what: 'stalled', from: 9_100 })
      expect(calm.broken(0)).toContain('liveness')
    })

    it('excuses a tick whose node was killed before it began', () => {
      const witness = new HandMadeWitness(A, B)
      witness.ask(A, 0, { token: 10, until: 3_000 })
      witness.killed(A, 5).ask(B, 0, { reason: 'tick-taken' }, 10)
      expect(witness.judge(0)).toMatchObject({ excused: { 'its node failed after the grant': 1 }, violations: [] })
    })
  })

  describe('a node', () => {
    it('that does not ask is seen, though another runs every tick', () => {
      expect(new HandMadeWitness(A, B).run(A, 0, 10).broken(0)).toEqual(['node part'])
    })

    it('that is not answered is seen, though another runs every tick', () => {
      const witness = new HandMadeWitness(A, B).run(A, 0, 10)
      witness.ask(B, 0)
      expect(witness.broken(0)).toEqual(['node part'])
    })

    it('that ends by itself is seen', () => {
      const witness = new HandMadeWitness(A, B).run(A, 0, 10, B)
      witness.line('control.0', 500, { what: 'exited', who: B, how: '1' })
      expect(witness.broken(0)).toEqual(['process'])
    })

    it('that is in touch with the store and runs a tick before its time is seen', () => {
      const witness = new HandMadeWitness(A)
      witness.begin(A, 5_000, 10, 1_000)
      expect(witness.broken(NONE_DUE)).toEqual(['on time'])
    })
  })

  describe('a tick whose node was killed', () => {
    const crash = (): HandMadeWitness => {
      const witness = new HandMadeWitness(A, B)
      witness.begin(A, 0, 10)
      witness.ask(B, 0, { reason: 'held' })
      return witness.killed(A, 100)
    }
    const rules = (witness: HandMadeWitness): string[] =>
      witness
        .judge(7_000, { onCrash: 'rerun' }, {})
        .violations.map(({ rule }) => rule)
        .filter((rule) => rule === 'rerun')

    it('is owed to the others, if it is to be run again', () => {
      expect(rules(crash())).toEqual(['rerun'])
    })

    it('is owed no more when a later one was granted, or when nobody else was fit', () => {
      const overtaken = crash()
      overtaken.begin(B, 4_000, 20)
      expect(rules(overtaken)).toEqual([])
      expect(rules(crash().fault('held', 'node-2', 2_000, 4_000))).toEqual([])
    })
  })
})
