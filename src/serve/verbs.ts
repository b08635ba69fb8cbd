/* Every verb of the HTTP API: its path, what it takes and returns, and the call of the provider. */
import type { z } from 'zod'
import type { CallOptions, LockProvider, Settled } from '../provider/contract.ts'
import type { RunHistory } from '../provider/history.ts'
import { isUnreadable } from '../provider/record.ts'
import { toWireError } from '../provider/wire.ts'
import * as schema from './schema.ts'

/** The store behind the server has no such ability. */
export class NotSupportedError extends Error {}

export interface Verb {
  /** Below `/v1/`. */
  readonly path: string
  readonly summary: string
  readonly request: z.ZodType
  readonly response: z.ZodType
  /** Of a verb that takes a batch: one request, which is checked on its own. */
  readonly item?: z.ZodType
  run(provider: LockProvider, body: unknown, options: CallOptions): Promise<object>
}

interface Call<Schema extends z.ZodType> {
  readonly path: string
  readonly summary: string
  readonly request: Schema
  readonly response: z.ZodType
  run(provider: LockProvider, body: z.output<Schema>): Promise<object>
}

/** A verb whose body is one request. */
const call = <Schema extends z.ZodType>({ run, ...rest }: Call<Schema>): Verb => ({
  ...rest,
  run: (provider, body) => run(provider, body as z.output<Schema>),
})

interface Batch<Item extends z.ZodType, Result> {
  readonly path: string
  readonly summary: string
  readonly item: Item
  readonly response: z.ZodType
  send(
    provider: LockProvider,
    requests: readonly z.output<Item>[],
    options: CallOptions,
  ): Promise<readonly Settled<Result>[]>
  toWire(result: Result): object
}

/** A verb that takes a batch. An error of one request stands in its place. */
const batch = <Item extends z.ZodType, Result>({ send, toWire, ...rest }: Batch<Item, Result>): Verb => ({
  ...rest,
  request: schema.batchOf(rest.item),
  async run(provider, requests, options) {
    const results = await send(provider, requests as readonly z.output<Item>[], options)
    return {
      results: results.map((result) => (result instanceof Error ? { error: toWireError(result) } : toWire(result))),
    }
  },
})

function historyOf({ history }: LockProvider): RunHistory {
  if (history) return history
  throw new NotSupportedError('the store behind this server keeps no history')
}

export const VERBS: readonly Verb[] = [
  batch({
    path: 'acquire',
    summary: 'Obtain locks',
    item: schema.acquireRequest,
    response: schema.acquireResponse,
    send: (provider, requests, options) => provider.acquire(requests, options),
    toWire: (result) => result,
  }),
  batch({
    path: 'extend',
    summary: 'Renew or extend leases',
    item: schema.extendRequest,
    response: schema.extendResponse,
    send: (provider, requests, options) => provider.extend(requests, options),
    toWire: (lease) => (lease ? { extended: true, lease } : { extended: false }),
  }),
  batch({
    path: 'release',
    summary: 'Release locks',
    item: schema.releaseRequest,
    response: schema.releaseResponse,
    send: (provider, requests, options) => provider.release(requests, options),
    toWire: (released) => ({ released }),
  }),
  call({
    path: 'read',
    summary: 'Read the records of locks, in order of their names',
    request: schema.readRequest,
    response: schema.readResponse,
    async run(provider, { names }) {
      const records = await provider.read(names)
      return {
        records: records.map((record) =>
          isUnreadable(record) ? { ...record, unreadable: toWireError(record.unreadable) } : record,
        ),
      }
    },
  }),
  call({
    path: 'force-release',
    summary: 'Free a lock whoever holds it',
    request: schema.forceReleaseRequest,
    response: schema.forceReleaseResponse,
    run: async (provider, { name }) => ({ released: await provider.forceRelease(name) }),
  }),
  call({
    path: 'reset',
    summary: "Repair a record that can't be read, or whose last tick lies in the future",
    request: schema.resetRequest,
    response: schema.resetResponse,
    run: async (provider, request) => ({ repaired: await provider.reset(request) }),
  }),
  call({
    path: 'prune',
    summary: 'Delete records that nobody needs any more',
    request: schema.pruneRequest,
    response: schema.pruneResponse,
    run: async (provider, { olderThan }) => ({ pruned: await provider.prune(olderThan) }),
  }),
  call({
    path: 'set-paused',
    summary: 'Refuse the ticks of a name for the whole cluster, or grant them again',
    request: schema.setPausedRequest,
    response: schema.setPausedResponse,
    async run(provider, request) {
      if (!provider.setPaused) throw new NotSupportedError('the store behind this server can not pause jobs')
      return { changed: await provider.setPaused(request) }
    },
  }),
  call({
    path: 'history/write',
    summary: 'Keep what became of ticks, and the state of the node that writes',
    request: schema.historyWriteRequest,
    response: schema.historyWriteResponse,
    async run(provider, { entries, node }) {
      await historyOf(provider).write(entries, node)
      return {}
    },
  }),
  call({
    path: 'history/read',
    summary: 'Read history, the newest entries first',
    request: schema.historyReadRequest,
    response: schema.historyEntriesResponse,
    run: async (provider, query) => ({ entries: await historyOf(provider).read(query) }),
  }),
  call({
    path: 'history/latest',
    summary: 'Read the last entries of each of these jobs but for those that were skipped',
    request: schema.historyLatestRequest,
    response: schema.historyEntriesResponse,
    run: async (provider, { jobs, count }) => ({ entries: await historyOf(provider).latest(jobs, count) }),
  }),
  call({
    path: 'history/nodes',
    summary: 'Read the nodes that keep history',
    request: schema.historyNodesRequest,
    response: schema.historyNodesResponse,
    run: async (provider) => ({ nodes: await historyOf(provider).nodes() }),
  }),
  call({
    path: 'history/trim',
    summary: 'Drop old history',
    request: schema.historyTrimRequest,
    response: schema.historyTrimResponse,
    run: async (provider, bounds) => ({ dropped: await historyOf(provider).trim(bounds) }),
  }),
]
