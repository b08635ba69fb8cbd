/** One way to break the product: a text that stands exactly once in a file, and what stands there instead. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly replace: string
  readonly by: string
  /** The rule of DESIGN.md that it breaks, or what else it concerns. */
  readonly rule: string
  /** A seed that shows it. */
  readonly seed: number
}

const DECIDE = 'src/provider/decide.ts'
const LOCK = 'src/lock/lock.ts'
const ACQUISITION = 'src/lock/acquisition.ts'
const ASK = 'src/scheduler/tick/acquire-ticks.ts'
const TICK = 'src/scheduler/tick/outcome.ts'
const DEADLINES = 'src/lock/deadlines.ts'
const STORE = 'src/lock/provider-client.ts'
const KEEP_ALIVE = 'src/locker/keep-alive.ts'
const CATCH_UP = 'src/scheduler/catch-up/catch-up.ts'
const PLANNER = 'src/scheduler/plan/planner.ts'
const DUE = 'src/scheduler/tick/dispatch.ts'
const ORDER = 'src/scheduler/spread/request-order.ts'

/** By the rule that is broken: no two rules share a mutant. */
const byRule: Readonly<Record<string, readonly Omit<Mutant, 'rule'>[]>> = {
  '1': [
    {
      name: 'no tick check',
      seed: 1,
      file: DECIDE,
      replace: 'tick <= record.lastTick)',
      by: 'tick < 0)',
    },
    {
      name: 'a tick far ahead is granted',
      seed: 1,
      file: DECIDE,
      replace: 'tick > now + request.maxClockSkew',
      by: 'tick < 0',
    },
    {
      name: "a node that does not know the client's clock takes ticks far ahead",
      seed: 2,
      file: ASK,
      replace: 'const early = Math.min(maxClockSkew, UNSURE_CLOCK_SKEW)',
      by: 'const early = maxClockSkew',
    },
    {
      name: "the client's clock decides which tick it is",
      seed: 2,
      file: PLANNER,
      replace: 'const now = this.#options.time.now()\n    this.#firing',
      by: 'const now = this.#options.clock.now()\n    this.#firing',
    },
    {
      name: 'the last tick itself is granted again',
      seed: 1,
      file: DECIDE,
      replace: 'tick <= record.lastTick)',
      by: 'tick < record.lastTick)',
    },
    {
      name: 'a trigger makes the store forget the last tick',
      seed: 13,
      file: DECIDE,
      replace: 'takesTick ? request.tick : record?.lastTick',
      by: 'request.tick',
    },
  ],
  '2': [
    {
      name: 'a held lock is granted',
      seed: 2,
      file: DECIDE,
      replace: "return record.lockUntil > now ? 'held' : undefined",
      by: 'return undefined',
    },
  ],
  '3': [
    {
      name: 'release without owner',
      seed: 2,
      file: DECIDE,
      replace: 'if (!record || (!releasedBefore && record.lockedBy !== holderOf(request))) return { released: false }',
      by: 'if (!record) return { released: false }',
    },
    {
      name: 'extension after expiry',
      seed: 155,
      file: DECIDE,
      replace: 'record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined\n  const may',
      by: 'record.lockedBy !== holderOf(request)) return undefined\n  const may',
    },
    {
      name: 'extension without owner',
      seed: 8,
      file: DECIDE,
      replace: 'record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined\n  const may',
      by: 'record.lockUntil <= now) return undefined\n  const may',
    },
  ],
  '4': [
    {
      name: 'deadline counted from the reply',
      seed: 5,
      file: ACQUISITION,
      replace: 'deadline: sent.monotonic + left',
      by: 'deadline: this.#store.clock.monotonic() + left',
    },
    {
      name: 'a lease that expired is not lost',
      seed: 3,
      file: LOCK,
      replace: "expired(): void {\n    this.#lose('its lease expired')",
      by: 'expired(): void {',
    },
    {
      name: 'a grant that came after its lease is used',
      seed: 5,
      file: ACQUISITION,
      replace: 'if (this.#mayBeOver(grant)) {',
      by: 'if (Number.isNaN(grant.deadline)) {',
    },
    {
      name: 'a suspension is not noticed',
      seed: 8,
      file: DEADLINES,
      replace: 'if (jump > 0)',
      by: 'if (jump < 0)',
    },
    {
      name: 'a lease is confirmed after a suspension without the store',
      seed: 8,
      file: LOCK,
      replace: 'void this.#inOrder(() => this.#confirm())',
      by: 'this.#doubted = false',
    },
    {
      name: 'a suspension within a lease is not counted',
      seed: 115,
      file: DEADLINES,
      replace: '    this.#endDoubt(watcher)\n    const timer',
      by: '    if (at > this.#clock.monotonic()) return\n    const timer',
    },
    {
      name: 'a lease that was granted during a suspension is relied on',
      seed: 30,
      file: DEADLINES,
      replace: 'monotonic - since.monotonic + jumped - since.jumped >= ms',
      by: 'monotonic - since.monotonic >= ms + 0 * jumped',
    },
    {
      name: 'a refused renewal is no loss',
      seed: 28,
      file: LOCK,
      replace: 'if (!lease) await this.#refused()',
      by: 'if (!lease) this.#moveDeadline(sent, lockAtMostFor)',
    },
  ],
  '5': [
    {
      name: 'a lost reply is taken for a refusal',
      seed: 2,
      file: ASK,
      replace: "return { outcome: 'failed', error }",
      by: "return { outcome: 'refused', refused: { granted: false, reason: 'held', storeTime: 0 } }",
    },
  ],
  '6': [
    {
      name: 'each ask is a new owner',
      seed: 5,
      file: DECIDE,
      replace: 'if (record && ours && record.lockUntil > now)',
      by: 'if (record && ours && record.lockUntil < 0)',
    },
  ],
  '7': [
    {
      name: 'tokens start anew',
      seed: 1,
      file: DECIDE,
      replace: 'Math.max(last + 1, Math.floor(now * 1000))',
      by: 'Math.floor(now * 1000) % 1_000_000',
    },
  ],
  '8': [
    {
      name: 'lockAtLeastFor is ignored',
      seed: 5,
      file: DECIDE,
      replace: 'Math.max(now, record.lockedAt + request.lockAtLeastFor)',
      by: 'now',
    },
  ],
  '9': [
    {
      name: 'a listener that throws gets out',
      seed: 1,
      file: 'src/logger.ts',
      replace: '    onThrow(error)\n  }\n}',
      by: '    onThrow(error)\n    throw error\n  }\n}',
    },
  ],
  '10': [
    {
      name: 'a tick that was finished is rerun',
      seed: 1,
      file: DECIDE,
      replace: '!record.tickDone && record.lockUntil <= now',
      by: 'record.lockUntil <= now',
    },
    {
      name: 'a tick that was taken over is reported as scheduled',
      seed: 61,
      file: TICK,
      replace: "outcome.rerun ? { ...tick, kind: 'rerun' } : tick",
      by: 'tick',
    },
    {
      name: 'a release does not mark the tick as done',
      seed: 1,
      file: DECIDE,
      replace: 'tickDone: record.tickDone || endsTick',
      by: 'tickDone: record.tickDone',
    },
    {
      name: 'a release after the expiry does not end its tick',
      seed: 31,
      file: DECIDE,
      replace: 'next: endsTick ? { ...record, tickDone: true } : undefined',
      by: 'next: undefined',
    },
    {
      name: "a crashed tick is rerun though the job doesn't want it",
      seed: 5,
      file: DECIDE,
      replace: "unfinished && (request.onCrash === 'rerun' || ours)",
      by: 'unfinished',
    },
    {
      name: 'nobody takes over a crashed tick',
      seed: 53,
      file: TICK,
      replace: 'record?.lastTick === time',
      by: 'record?.lastTick === -1',
    },
  ],
  'keep-alive': [
    {
      name: 'keep-alive never renews',
      seed: 17,
      file: KEEP_ALIVE,
      replace: 'renewInTime()\n  return',
      by: 'return',
    },
    {
      name: 'keep-alive gives up at the first failure',
      seed: 28,
      file: KEEP_ALIVE,
      replace: 'renewIn(Math.max(SHORTEST_DELAY, lock.remaining * RETRY_AFTER))',
      by: '',
    },
  ],
  batches: [
    {
      name: 'the coalescer mixes up answers',
      seed: 2,
      file: 'src/lock/coalescer.ts',
      replace: 'results.length === requests.length ? results : results.slice(from, from + requests.length)',
      by: '[...results].reverse().slice(from, from + requests.length)',
    },
  ],
  '11': [
    {
      name: 'a batch fails whole for one bad record',
      seed: 9,
      file: STORE,
      replace: 'if (result instanceof Error) failed = true',
      by: 'if (result instanceof Error) throw result',
    },
    {
      name: 'a busy record is taken for a refusal',
      seed: 2,
      file: ACQUISITION,
      replace: 'if (result instanceof Error) throw result',
      by: "if (result instanceof Error) return { granted: false, reason: 'held', storeTime: 0 }",
    },
    {
      name: 'a busy record is taken for a grant',
      seed: 2,
      file: ACQUISITION,
      replace: 'if (result instanceof Error) throw result',
      by: `const { name, owner, lockAtMostFor } = this.request
      const now = this.#store.clock.now()
      const lease = { name, owner, fencingToken: 1, acquiredAt: now, lockUntil: now + lockAtMostFor, storeTime: now }
      if (result instanceof Error) return this.#arrived({ granted: true, lease }, sent)`,
    },
    {
      name: 'busy requests are not repeated',
      seed: 28,
      file: STORE,
      replace: 'if (!isRecordBusy(error) ||',
      by: 'if (isRecordBusy(error) ||',
    },
    {
      name: 'an unreadable record counts as free',
      seed: 2,
      file: 'src/provider/record.ts',
      replace: "if (!isTime(raw.lockUntil)) return wrong('lockUntil', raw.lockUntil, 'a time')",
      by: '',
    },
    {
      name: 'a repair makes an old tick run again',
      seed: 9,
      file: 'src/provider/record.ts',
      replace: 'lastTick: tickLost ? Math.floor(now) : isMissing(raw.lastTick)',
      by: 'lastTick: tickLost || isMissing(raw.lastTick)',
    },
  ],
  plan: [
    {
      name: 'the heap drops an item',
      seed: 4,
      file: 'src/scheduler/plan/heap.ts',
      replace: 'if (this.#items.length > 0) this.#sink(last as Item)',
      by: 'if (this.#items.length > 2) this.#sink(last as Item)',
    },
    {
      name: "the plan does not follow the store's clock",
      seed: 53,
      file: PLANNER,
      replace:
        'this.#replanIfJumped()\n    if (!this.#timer || Math.abs(time.now() - clock.monotonic() - this.#aheadOfTimer) >= REARM_AFTER) this.#arm()',
      by: 'if (!this.#timer) this.#arm()',
    },
  ],
  grace: [
    {
      name: 'the grace is ignored',
      seed: 1,
      file: DUE,
      replace: 'Math.min(time + job.graceFor, next) - now',
      by: 'Math.min(time + 1, next) - now',
    },
    {
      name: 'a client that failed is asked once only',
      seed: 9,
      file: ASK,
      replace: 'if (!result && clock.monotonic() >= until)',
      by: 'if (!result)',
    },
  ],
  'late grant': [
    {
      name: 'what may have been granted is not given back',
      seed: 16,
      file: ACQUISITION,
      replace: 'if (this.#result?.granted || this.#uncertain) this.#release()',
      by: '',
    },
    {
      name: 'a late grant is not given back',
      seed: 5,
      file: ACQUISITION,
      replace: "if (this.#state === 'abandoned') this.#release()",
      by: '',
    },
  ],
  'late answer': [
    {
      name: 'an result in the last pause of the grace is overlooked',
      seed: 9,
      file: ASK,
      replace: 'result = acquisition.result',
      by: 'result = undefined',
    },
  ],
  'local skip': [
    {
      name: 'a job that runs here is run once more',
      seed: 16,
      file: TICK,
      replace:
        'if (context.running.has(tick.job.name)) {\n    emitSkipped(context, tick, RUNNING_HERE)\n    return undefined\n  }',
      by: '',
    },
  ],
  'catch-up': [
    {
      name: 'a new tick overtakes those that are owed',
      seed: 2,
      file: DUE,
      replace: 'if (this.#catchUp.queue(tick.job, tick.time)) return false',
      by: '',
    },
    {
      name: 'nothing is missed',
      seed: 4,
      file: CATCH_UP,
      replace:
        'const missed = ticksBetween(schedule, Math.max(lastTick ?? 0, since, now - catchUp.window), now, catchUp.max)',
      by: 'const missed: number[] = []',
    },
    {
      name: 'ticks older than the last granted are owed',
      seed: 2,
      file: CATCH_UP,
      replace: 'Math.max(lastTick ?? 0, since, now - catchUp.window)',
      by: 'Math.min(lastTick ?? 0, now - catchUp.window)',
    },
    {
      name: 'a changed schedule runs old ticks',
      seed: 71,
      file: 'src/scheduler/catch-up/schedule-mark.ts',
      replace: 'id === idOf(schedule) ? Number.parseInt(since, 36) : undefined',
      by: 'Number.parseInt(since, 36)',
    },
  ],
  preference: [
    {
      name: 'a preferred node that is dead is relied on',
      seed: 1,
      file: DUE,
      replace: 'const still = requests.filter(({ tick }) =>',
      by: 'const still = requests.filter(({ tick, leftTo }) => !leftTo &&',
    },
    {
      name: 'everybody comes second',
      seed: 6,
      file: ORDER,
      replace: '(ordered.leftTo ? later : first).push(ordered)',
      by: 'later.push(ordered)',
    },
    {
      name: 'the last node waits past the grace',
      seed: 1,
      file: ORDER,
      replace: 'isSlow ? 0 : Math.max(0, wait - Math.max(0, now - tick.time))',
      by: 'left + wait',
    },
  ],
  abandoned: [
    {
      name: 'what is given back is marked as done',
      seed: 5,
      file: ACQUISITION,
      replace: 'release({ name, owner, label, lockAtLeastFor: 0 })',
      by: 'release({ name, owner, label, lockAtLeastFor: 0, tick: this.request.tick })',
    },
  ],
  stop: [
    {
      name: 'ticks go on after the stop',
      seed: 13,
      file: 'src/scheduler/scheduler.ts',
      replace: "this.#planner.stop()\n    this.#stopping.abort(new Error('the scheduler is stopping'))",
      by: 'void 0',
    },
  ],
}

export const mutants: readonly Mutant[] = Object.entries(byRule).flatMap(([rule, all]) =>
  all.map((each) => ({ rule, ...each })),
)
