/** One way to break the product: a text that stands exactly once in a file, and what stands there instead. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly replace: string
  readonly by: string
  /** The rule of DESIGN.md that it breaks. */
  readonly rule: string
  /** A seed that shows it. */
  readonly seed: number
}

const mutant = (rule: string, seed: number, name: string, file: string, replace: string, by: string): Mutant => ({
  rule,
  seed,
  name,
  file,
  replace,
  by,
})

const DECIDE = 'src/provider/decide.ts'
const LOCK = 'src/lock/lock.ts'
const ACQUISITION = 'src/lock/acquisition.ts'
const ASK = 'src/scheduler/ask.ts'
const TICK = 'src/scheduler/tick.ts'

export const mutants: readonly Mutant[] = [
  mutant('1', 1, 'no tick check', DECIDE, 'tick <= record.lastTick)', 'tick < 0)'),
  mutant('1', 1, 'a tick far ahead is granted', DECIDE, 'tick > now + request.maxClockSkew', 'tick < 0'),
  mutant(
    '1',
    2,
    "the client's clock decides which tick it is",
    'src/scheduler/planner.ts',
    'const now = this.#options.time.now()\n    for',
    'const now = this.#options.clock.now()\n    for',
  ),
  mutant(
    '2',
    2,
    'a held lock is granted',
    DECIDE,
    "return record.lockUntil > now ? 'held' : undefined",
    'return undefined',
  ),
  mutant(
    '3',
    1,
    'release without owner',
    DECIDE,
    'if (!record || record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined\n  return {',
    'if (!record) return undefined\n  return {',
  ),
  mutant(
    '3',
    104,
    'extension after expiry',
    DECIDE,
    'record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined\n  const may',
    'record.lockedBy !== holderOf(request)) return undefined\n  const may',
  ),
  mutant(
    '3',
    28,
    'extension without owner',
    DECIDE,
    'record.lockedBy !== holderOf(request) || record.lockUntil <= now) return undefined\n  const may',
    'record.lockUntil <= now) return undefined\n  const may',
  ),
  mutant(
    '4',
    5,
    'deadline counted from the reply',
    ACQUISITION,
    'deadline: sentAt + left',
    'deadline: this.#store.clock.monotonic() + left',
  ),
  mutant(
    '4',
    3,
    'a lease that lapsed is not lost',
    LOCK,
    "lapsed(): void {\n    this.#lose('its lease lapsed')",
    'lapsed(): void {',
  ),
  mutant(
    '4',
    5,
    'a grant that came after its lease is used',
    ACQUISITION,
    'if (this.#store.clock.monotonic() >= grant.deadline) {',
    'if (Number.isNaN(grant.deadline)) {',
  ),
  mutant(
    '5',
    2,
    'a lost reply is taken for a refusal',
    ASK,
    "return { outcome: 'failed', error }",
    "return { outcome: 'refused', refused: { granted: false, reason: 'held', storeTime: 0 } }",
  ),
  mutant(
    '6',
    5,
    'each ask is a new owner',
    DECIDE,
    'if (record && ours && record.lockUntil > now)',
    'if (record && ours && record.lockUntil < 0)',
  ),
  mutant(
    '7',
    1,
    'tokens start anew',
    DECIDE,
    'Math.max(last + 1, Math.floor(now * 1000))',
    'Math.floor(now * 1000) % 1_000_000',
  ),
  mutant('8', 5, 'lockAtLeastFor is ignored', DECIDE, 'Math.max(now, record.lockedAt + request.lockAtLeastFor)', 'now'),
  mutant(
    '10',
    1,
    'a tick that was finished is rerun',
    DECIDE,
    '!record.tickDone && record.lockUntil <= now',
    'record.lockUntil <= now',
  ),
  mutant(
    '9',
    1,
    'a listener that throws gets out',
    'src/logger.ts',
    '    onThrow(error)\n  }\n}',
    '    onThrow(error)\n    throw error\n  }\n}',
  ),
  mutant(
    'keep-alive',
    17,
    'keep-alive never renews',
    'src/executor/keep-alive.ts',
    'renewIn(lock.lockAtMostFor * RENEW_AFTER)\n  return',
    'return',
  ),
  mutant(
    'batches',
    1,
    'the coalescer mixes up answers',
    'src/lock/coalescer.ts',
    'batch.length === 1 ? results : results.slice(from, from + requests.length)',
    '[...results].reverse().slice(from, from + requests.length)',
  ),
  mutant(
    'plan',
    4,
    'the heap drops an item',
    'src/scheduler/heap.ts',
    'if (this.#items.length > 0) this.#sink(last as Item)',
    'if (this.#items.length > 2) this.#sink(last as Item)',
  ),
  mutant(
    'grace',
    1,
    'the grace is ignored',
    'src/scheduler/due.ts',
    'Math.min(time + job.graceFor, next) - now',
    'Math.min(time + 1, next) - now',
  ),
  mutant(
    'grace',
    1,
    'a store that failed is asked once only',
    ASK,
    'if (!answer && clock.monotonic() >= until)',
    'if (!answer)',
  ),
  mutant(
    'late grant',
    20,
    'what may have been granted is not given back',
    ACQUISITION,
    'if (this.#answer?.granted || this.#uncertain) this.#giveBack()',
    '',
  ),
  mutant(
    'late answer',
    9,
    'an answer in the last pause of the grace is overlooked',
    ASK,
    'answer = acquisition.answer',
    'answer = undefined',
  ),
  mutant(
    'local skip',
    16,
    'a job that runs here is run once more',
    TICK,
    'if (engine.runs.has(tick.job.name)) {\n    tellSkipped(engine, tick, RUNNING_HERE)\n    return undefined\n  }',
    '',
  ),
  mutant(
    'abandoned',
    5,
    'what is given back is marked as done',
    ACQUISITION,
    'release({ name, owner, label, lockAtLeastFor: 0 })',
    'release({ name, owner, label, lockAtLeastFor: 0, tick: this.request.tick })',
  ),
  mutant(
    'stop',
    3,
    'ticks go on after the stop',
    'src/scheduler/scheduler.ts',
    "this.#planner.stop()\n    this.#stopping.abort(new Error('the scheduler is stopping'))",
    'void 0',
  ),
  mutant(
    '1',
    1,
    'the last tick itself is granted again',
    DECIDE,
    'tick <= record.lastTick)',
    'tick < record.lastTick)',
  ),
  mutant(
    '1',
    162,
    'a trigger makes the store forget the last tick',
    DECIDE,
    'takesTick ? request.tick : record?.lastTick',
    'request.tick',
  ),
  mutant(
    '4',
    155,
    'deadline of an extension counted from the reply',
    LOCK,
    'this.#moveDeadline(sentAt + (lease.lockUntil - lease.storeTime))',
    'this.#moveDeadline(store.clock.monotonic() + (lease.lockUntil - lease.storeTime))',
  ),
  mutant(
    '4',
    20,
    'a refused renewal is no loss',
    LOCK,
    "if (!lease) this.#lose('the store says that its lease lapsed or another owner has it')",
    'if (!lease) this.#moveDeadline(sentAt + lockAtMostFor)',
  ),
  mutant(
    '10',
    1,
    'a release does not mark the tick as done',
    DECIDE,
    'tickDone: record.tickDone || (request.tick !== undefined && request.tick === record.lastTick)',
    'tickDone: record.tickDone',
  ),
  mutant(
    '10',
    5,
    "a crashed tick is rerun though the job doesn't want it",
    DECIDE,
    "unfinished && (request.onCrash === 'rerun' || ours)",
    'unfinished',
  ),
]
