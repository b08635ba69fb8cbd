import { StoreError } from '../../src/errors.ts'
import {
  type Answered,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerPause,
  answerRelease,
  leaseOf,
} from '../../src/provider/answers.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { inWaves } from '../../src/provider/waves.ts'
import { mysqlHistory } from './history.ts'
import { type MysqlInput, readInput } from './options.ts'
import type { Change } from './record.ts'
import { type Facts, LocksTable } from './store.ts'

type Decide<Request, Answer> = (
  record: StoredLock | undefined,
  request: Request,
  facts: Facts,
  /** What may have been written for this request before. */
  doubtful: Change | undefined,
) => Answered<Answer>

/** Each time round somebody else was faster: so many in a row are no race any more. */
const MAX_ROUNDS = 50
/** A statement that the server gave up for another's sake is sent again so often. */
const MAX_OBSTACLES = 4

/**
 * Keeps locks in a table of MySQL (8.0.17 or later) or MariaDB (10.6 or later).
 *
 * Takes your own pool or connection of `mysql2`, a URL, or {@link MysqlOptions}. The table is made by `setup()`, or by the
 * statement that {@link mysqlSetup} gives. The clock is the server's. A refused acquisition costs one round trip and writes
 * nothing, a grant, an extension or a release two, the first grant of a name three.
 *
 * @example
 * const provider = mysql(pool)
 *
 * @throws {InvalidOptionError} for wrong options. Nothing is opened before the first use.
 */
export function mysql(input: MysqlInput): LockProvider {
  const { source, table } = readInput(input)
  const locks = new LocksTable(source, table)

  /**
   * Reads the records, decides by the server's clock, and writes what changes under the condition that the record still is what
   * was read: the server compares and writes under the row's lock, so of all who decided on one state of a record only one writes.
   * The others read again. Whoever can't tell whether its own write was made reads again too: a grant is then found as
   * one that was given before. A client that is held up in between only finds that it comes too late.
   */
  const settle = async <Request extends { readonly name: string }, Answer>(
    wave: readonly Request[],
    decide: Decide<Request, Answer>,
  ): Promise<readonly Answer[]> => {
    const answers = new Map<Request, Answer>()
    const doubtful = new Map<Request, Change>()
    let open = wave
    for (let round = 0, obstacles = 0; open.length > 0; round++) {
      if (round === MAX_ROUNDS)
        throw new StoreError('the locks kept changing hands while they were asked for: ask again')
      if (open.length > 1) open = open.toSorted(byName)
      const facts = await locks.facts(open.map(({ name }) => name))
      const changes = new Map<Change, Request>()
      for (const [index, request] of open.entries()) {
        const was = facts.records[index]
        const { answer, next } = decide(was, request, facts, doubtful.get(request))
        answers.set(request, answer)
        if (next) changes.set({ was, next: facts.asKept(next), seenAt: facts.now }, request)
      }
      if (changes.size === 0) break
      const written = await locks.write([...changes.keys()])
      if (written.obstacle && ++obstacles > MAX_OBSTACLES) throw written.obstacle
      for (const change of written.doubtful) doubtful.set(changes.get(change) as Request, change)
      open = written.open.map((change) => changes.get(change) as Request)
    }
    return wave.map((request) => answers.get(request) as Answer)
  }

  return {
    acquire: (requests) => inWaves(requests, (wave) => settle(wave, acquire)),
    extend: (requests) => inWaves(requests, (wave) => settle(wave, extend)),
    release: (requests) => inWaves(requests, (wave) => settle(wave, release)),
    async read(names) {
      const found = names ? await some(locks, [...new Set(names)]) : await locks.all()
      return found.sort(byName)
    },
    async forceRelease(name) {
      const [freed] = await settle([{ name }], forceRelease)
      return freed === true
    },
    async setPaused(request) {
      const [changed] = await settle([request], setPaused)
      return changed === true
    },
    history: mysqlHistory(table, source),
    reset: () => Promise.reject(new Error('reset is not there yet')),
    prune: (olderThanMs) => locks.prune(olderThanMs),
    setup: () => locks.setUp(),
    close: () => source.close(),
  }
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)

async function some(locks: LocksTable, names: readonly string[]): Promise<LockRecord[]> {
  const { records, now } = await locks.facts(names)
  return records.flatMap((lock) => (lock ? { ...lock, storeTime: now } : []))
}

/* The reference's answers, but for the times of a lease: they are told as the columns keep them, so that a repeated request is told the same. */

const acquire: Decide<AcquireRequest, AcquireResult> = (record, request, { now, asKept }) => {
  const { answer, next } = answerAcquire(record, request, now)
  return next ? { answer: { granted: true, lease: leaseOf(asKept(next), request.owner, now) }, next } : { answer }
}

const extend: Decide<ExtendRequest, Lease | undefined> = (record, request, { now, asKept }) => {
  const { next } = answerExtend(record, request, now)
  return { answer: next && leaseOf(asKept(next), request.owner, now), next }
}

const release: Decide<ReleaseRequest, boolean> = (record, request, { now }, doubtful) => {
  const { answer, next } = answerRelease(record, request, now)
  return { answer: answer || (doubtful !== undefined && isGrantedOver(record, doubtful)), next }
}

/** Somebody was granted the lock within the lease that was to be given back: so it was, before we could read that. */
const isGrantedOver = (record: StoredLock | undefined, { was }: Change): boolean =>
  record !== undefined && was !== undefined && record.fencingToken > was.fencingToken && record.lockedAt < was.lockUntil

const forceRelease: Decide<{ readonly name: string }, boolean> = (record, request, { now }) =>
  answerForceRelease(record, request, now)

const setPaused: Decide<PauseRequest, boolean> = (record, request, { now }) => answerPause(record, request, now)
