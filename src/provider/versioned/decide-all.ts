/*
 * How a batch is decided in a store that compares and sets:
 *
 *   1. Read all names of the batch, then the clock.
 *   2. Decide the requests for each name one after another, on what was read.
 *   3. Write each record that changes, on condition of its version.
 *   4. Where another node came first, or the response was lost, begin again for those names, after a random delay.
 *
 * If a response was lost and the record is now what was to be written, the write had succeeded and its results stand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RecordBusyError } from '../../errors.ts'
import type { Settled } from '../contract.ts'
import type { StoredLock } from '../decide.ts'
import { isReadable, repairLock } from '../record.ts'
import { type BoundedResolver, timeOf } from './bounded.ts'
import { decodeLock, encodeLock, readableLock } from './codec.ts'
import type { TimeBounds, VersionedEntry, VersionedStore, VersionedWrite, WriteResult } from './store.ts'

/** How often a record is read and written for one request. */
const ATTEMPTS = 12
/** The longest delay between two attempts, in ms. */
const LONGEST_BACKOFF = 100

export interface Named {
  readonly name: string
}

export interface Decision<Request, Result> {
  readonly requests: readonly Request[]
  readonly resolve: BoundedResolver<Request, Result>
  /** What a record that can't be read is repaired for; the result of the request is then this. Without it, the request fails. */
  readonly repaired?: Result
  /** In ms. */
  readonly timeout: number
}

/** The requests for one name, and what the last attempt made of them. */
interface Turn<Result> {
  readonly indexes: readonly number[]
  /** What was to be written, while it is unknown whether it was. */
  unknown: { readonly value: string; readonly results: readonly Settled<Result>[]; readonly error: Error } | undefined
}

interface Decided<Result> {
  readonly results: readonly Settled<Result>[]
  readonly write: VersionedWrite | undefined
}

/** @returns a result for each request, in their order. Rejects when the store failed before anything was decided. */
export async function decideAll<Request extends Named, Result>(
  store: VersionedStore,
  decision: Decision<Request, Result>,
): Promise<readonly Settled<Result>[]> {
  const { requests, timeout } = decision
  const results = new Array<Settled<Result>>(requests.length)
  const deadline = performance.now() + timeout
  const turns = byName<Result>(requests)
  const settle = (name: string, settled: readonly Settled<Result>[]): void => {
    for (const [position, index] of turns.get(name)?.indexes.entries() ?? [])
      results[index] = settled[position] as Settled<Result>
    turns.delete(name)
  }
  const count = turns.size
  let failure: unknown
  try {
    for (let attempt = 0; turns.size > 0 && attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await sleep(Math.random() * Math.min(2 ** attempt, LONGEST_BACKOFF))
      const left = deadline - performance.now()
      if (left <= 0) break
      // Half of it, so that time is left to read what became of a write.
      await decideOnce(store, decision, turns, left / 2, settle)
    }
  } catch (error) {
    if (turns.size === count) throw error
    failure = error
  }
  for (const [name, { indexes, unknown }] of [...turns]) {
    const error = asError(failure ?? unknown?.error ?? tooManyWriters(name))
    settle(
      name,
      indexes.map(() => error),
    )
  }
  return results
}

async function decideOnce<Request extends Named, Result>(
  store: VersionedStore,
  decision: Decision<Request, Result>,
  turns: ReadonlyMap<string, Turn<Result>>,
  timeout: number,
  settle: (name: string, results: readonly Settled<Result>[]) => void,
): Promise<void> {
  const entries = new Map((await store.get([...turns.keys()], { timeout })).map((entry) => [entry.name, entry]))
  const bounds = await store.now()
  const undecided: {
    readonly turn: Turn<Result>
    readonly write: VersionedWrite
    readonly decided: Decided<Result>
  }[] = []
  for (const [name, turn] of [...turns]) {
    const entry = entries.get(name)
    if (turn.unknown && entry?.value === turn.unknown.value) {
      settle(name, turn.unknown.results)
      continue
    }
    const batch = turn.indexes.map((index) => decision.requests[index] as Request)
    const decided = decideName(name, entry, batch, decision, bounds)
    if (decided.write) undecided.push({ turn, write: decided.write, decided })
    else settle(name, decided.results)
  }
  if (undecided.length === 0) return
  const outcomes = await putAll(
    store,
    undecided.map(({ write }) => write),
    timeout,
  )
  for (const [index, { turn, write, decided }] of undecided.entries()) {
    const outcome = outcomes[index]
    if (outcome === 'written') settle(write.name, decided.results)
    else if (outcome !== 'conflict')
      turn.unknown = { value: write.value, results: decided.results, error: asError(outcome) }
  }
}

/** A put that fails as a whole leaves each of its writes unknown. */
async function putAll(
  store: VersionedStore,
  writes: readonly VersionedWrite[],
  timeout: number,
): Promise<readonly WriteResult[]> {
  try {
    return await store.put(writes, { timeout })
  } catch (error) {
    return writes.map(() => asError(error))
  }
}

function decideName<Request extends Named, Result>(
  name: string,
  entry: VersionedEntry | undefined,
  requests: readonly Request[],
  { resolve, repaired }: Decision<Request, Result>,
  bounds: TimeBounds,
): Decided<Result> {
  const decoded = entry && decodeLock(name, entry.value)
  const time = timeOf(bounds, decoded?.changedAt)
  const repairs = decoded !== undefined && repaired !== undefined && !isReadable(decoded.raw)
  let record: StoredLock | undefined
  try {
    record = repairs ? repairLock(name, decoded.raw, time.earliest) : decoded && readableLock(decoded)
  } catch (error) {
    return { results: requests.map(() => asError(error)), write: undefined }
  }
  let changed = repairs
  const results = requests.map((request) => {
    const { result, next } = resolve(record, request, time)
    if (next) record = next
    changed ||= next !== undefined
    return repairs ? (repaired as Result) : result
  })
  const write = record && changed && { name, value: encodeLock(record, time.earliest), version: entry?.version }
  return { results, write: write || undefined }
}

function byName<Result>(requests: readonly Named[]): Map<string, Turn<Result>> {
  const turns = new Map<string, Turn<Result> & { readonly indexes: number[] }>()
  for (const [index, { name }] of requests.entries()) {
    const turn = turns.get(name)
    if (turn) turn.indexes.push(index)
    else turns.set(name, { indexes: [index], unknown: undefined })
  }
  return turns
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

const tooManyWriters = (name: string): RecordBusyError =>
  new RecordBusyError(name, {
    cause: new Error(`other nodes changed the record in each of up to ${ATTEMPTS} attempts`),
  })
