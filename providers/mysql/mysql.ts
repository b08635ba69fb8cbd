import { StoreError } from '../../src/errors.ts'
import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import { decideAcquire, decideExtend, decideRelease, type StoredLock } from '../../src/provider/decide.ts'
import { inWaves } from '../../src/provider/waves.ts'
import { type MysqlInput, readInput } from './options.ts'
import type { Change } from './record.ts'
import { type Facts, LocksTable } from './store.ts'

/** What is answered, and the record to write when it changes. */
interface Decision<Answer> {
  readonly answer: Answer
  readonly next?: StoredLock | undefined
}

type Decide<Request, Answer> = (record: StoredLock | undefined, request: Request, facts: Facts) => Decision<Answer>

/** Each time round somebody else was faster: so many in a row are no race any more. */
const MAX_ROUNDS = 50
/** A statement that the server gave up for another's sake is sent again so often. */
const MAX_OBSTACLES = 4

/**
 * Keeps locks in a table of MySQL (8.0.17 or later) or MariaDB (10.6 or later).
 *
 * Takes your own pool or connection of `mysql2`, a URL, or {@link MysqlOptions}. The table is made by `setup()`, or by the
 * statement that {@link mysqlSetup} gives. The clock is the server's. A refused acquisition costs one round trip and writes
 * nothing, a grant, an extension or a release two.
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
    let open = wave
    for (let round = 0, obstacles = 0; open.length > 0; round++) {
      if (round === MAX_ROUNDS)
        throw new StoreError('the locks kept changing hands while they were asked for: ask again')
      open = open.toSorted(byName)
      const facts = await locks.facts(open.map(({ name }) => name))
      const changes = new Map<Change, Request>()
      for (const [index, request] of open.entries()) {
        const was = facts.records[index]
        const { answer, next } = decide(was, request, facts)
        answers.set(request, answer)
        if (next) changes.set({ was, next, seenAt: facts.now }, request)
      }
      const written = await locks.write([...changes.keys()])
      if (written.obstacle && ++obstacles > MAX_OBSTACLES) throw written.obstacle
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

const acquire: Decide<AcquireRequest, AcquireResult> = (record, request, { now, asKept }) => {
  const decision = decideAcquire(record, request, now)
  if (decision.outcome === 'refuse') {
    const { reason } = decision
    return { answer: { granted: false, reason, record: record && { ...record, storeTime: now }, storeTime: now } }
  }
  const lock = asKept(decision.next)
  const answer = { granted: true, lease: leaseOf(lock, request.owner, now) } as const
  return decision.outcome === 'grant' ? { answer, next: lock } : { answer }
}

const extend: Decide<ExtendRequest, Lease | undefined> = (record, request, { now, asKept }) => {
  const next = decideExtend(record, request, now)
  if (!next) return { answer: undefined }
  const lock = asKept(next)
  return { answer: leaseOf(lock, request.owner, now), next: lock }
}

const release: Decide<ReleaseRequest, boolean> = (record, request, { now, asKept }) => {
  const next = decideRelease(record, request, now)
  return typeof next === 'object' ? { answer: true, next: asKept(next) } : { answer: next !== undefined }
}

const forceRelease: Decide<{ readonly name: string }, boolean> = (record, _request, { now, asKept }) =>
  record && record.lockUntil > now ? { answer: true, next: asKept({ ...record, lockUntil: now }) } : { answer: false }

const leaseOf = (lock: StoredLock, owner: string, storeTime: number): Lease => ({
  name: lock.name,
  owner,
  fencingToken: lock.fencingToken,
  acquiredAt: lock.lockedAt,
  lockUntil: lock.lockUntil,
  storeTime,
})
