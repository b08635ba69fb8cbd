import { RecordBusyError, StoreError } from '../../src/errors.ts'
import type { Settled } from '../../src/provider/contract.ts'
import type { StoredLock } from '../../src/provider/decide.ts'
import { compareNames } from '../../src/provider/record.ts'
import type { Deadline } from './bounds.ts'
import type { LocksTable } from './records.ts'
import { type Change, type Found, isSame, isUnchanged } from './stored-record.ts'

export interface Decision<Result> {
  readonly result: Result
  /** Undefined when the record stays as it is. */
  readonly next?: StoredLock | undefined
}

export type Decide<Request, Result> = (
  found: Found,
  request: Request,
  /** A record as the columns will hold it. */
  asKept: (lock: StoredLock, now: number) => StoredLock,
  /** What may have been written for this request before. */
  maybeWritten: Change | undefined,
) => Decision<Result>

/** Each time somebody else was faster: so many in a row are no race any more. */
const MAX_ROUNDS = 10

/**
 * Reads the records, decides by the server's clock, and writes what changes under the condition that the record still is what
 * was read: the server compares and writes under the row's lock, so of all who decided on one state of a record only one writes.
 * The others read again. A record that is unchanged then is locked by another transaction, which a write does not wait for. Whoever can't tell
 * whether its own write was made finds it in the record. A client that is held up in between only finds that it comes too late.
 *
 * @param batch names each lock once
 */
export async function settle<Request extends { readonly name: string }, Result>(
  locks: LocksTable,
  batch: readonly Request[],
  decide: Decide<Request, Result>,
  deadline: Deadline,
): Promise<readonly Settled<Result>[]> {
  const results = new Map<Request, Settled<Result>>()
  const tried = new Map<Request, Change>()
  let open = batch.length > 1 ? batch.toSorted(compareNames) : batch
  let maybeWritten: ReadonlySet<Change> = new Set()
  for (let round = 0; open.length > 0; round++) {
    const { found, asKept } = await locks.find(
      open.map(({ name }) => name),
      deadline,
    )
    const changes = new Map<Change, Request>()
    for (const [index, request] of open.entries()) {
      const now = found[index] as Found | Error
      if (now instanceof Error) {
        results.set(request, now)
        continue
      }
      const before = tried.get(request)
      // Our own write: what was decided stands.
      if (before && isSame(now.seen, before.next)) continue
      if (before && (round > MAX_ROUNDS || isUnchanged(before, now))) {
        results.set(request, new RecordBusyError(request.name))
        continue
      }
      try {
        const { result, next } = decide(now, request, asKept, before && maybeWritten.has(before) ? before : undefined)
        results.set(request, result)
        if (!next) continue
        const change = { ...now, next: asKept(next, now.now) }
        if (!isSame(now.seen, change.next)) changes.set(change, request)
      } catch (error) {
        results.set(request, error instanceof Error ? error : new StoreError(String(error)))
      }
    }
    if (changes.size === 0) break
    const written = await locks.write([...changes.keys()], deadline)
    maybeWritten = written.maybeWritten
    open = written.open.map((change) => changes.get(change) as Request)
    for (const change of written.open) tried.set(changes.get(change) as Request, change)
  }
  return batch.map((request) => results.get(request) as Settled<Result>)
}
