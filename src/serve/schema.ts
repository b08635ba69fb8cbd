/*
 * The one definition of the HTTP API's requests and responses. It checks requests, and docs/http-api.yaml is made from it. See contract.ts for
 * what they mean.
 */
import { z } from 'zod'
import { MAX_DURATION } from '../duration.ts'
import type { AcquireRequest, ExtendRequest, Lease, LockRecord, ReleaseRequest } from '../provider/contract.ts'
import type { HistoryEntry, HistoryQuery, NodeState } from '../provider/history.ts'
import { ERROR_CODES, LONGEST_TIMEOUT, MOST_REQUESTS, type WireErrorCode } from '../provider/wire.ts'

const LAST_INSTANT = 8.64e15

const time = () => z.number().min(-LAST_INSTANT).max(LAST_INSTANT)
const duration = () => z.number().min(0).max(MAX_DURATION)
const name = () => z.string().min(1).describe("The lock's name: 1 to 255 characters.")
const storeTime = () => time().describe("The store's clock when it decided, ms since the epoch.")

const holder = {
  name: name(),
  owner: z
    .string()
    .regex(/^[!-"$-~]{1,45}$/)
    .describe(
      'A random id made for each acquisition, such as a UUID: 1 to 45 printable ASCII characters without blanks and #. Repeating a request with the same owner is harmless.',
    ),
  label: z.string().default('http').describe('Who holds the lock, for people to read. Cut to 200 characters.'),
}

const lockAtMostFor = z.number().int().min(1).max(MAX_DURATION)

export const acquireRequest = z.strictObject({
  ...holder,
  lockAtMostFor: lockAtMostFor.describe("The lease's length in ms."),
  tick: time()
    .optional()
    .describe(
      'The tick to take, ms since the epoch. Each tick of a name is granted once. Leave it out for a plain lock.',
    ),
  onCrash: z
    .enum(['skip', 'rerun'])
    .optional()
    .describe('`rerun`: the last tick may be taken over when its lease expired and nobody released it.'),
  maxClockSkew: duration()
    .default(60_000)
    .describe("A tick more than this many ms ahead of the store's clock is refused."),
  metadata: z.string().max(4_096).optional().describe('A short text kept with the lock for people to read.'),
})

export const extendRequest = z.strictObject({
  ...holder,
  lockAtMostFor: lockAtMostFor.describe("The lease's new length in ms, from now."),
  lockAtLeastFor: duration().default(0).describe('The lease never ends before the acquisition plus this many ms.'),
  mayShortenUntil: time()
    .optional()
    .describe("Up to this time by the store's clock the lease may also be made shorter. Without it, only longer."),
})

export const releaseRequest = z.strictObject({
  ...holder,
  lockAtLeastFor: duration().default(0).describe('The lock stays taken until the acquisition plus this many ms.'),
  tick: time().optional().describe('The tick to mark as done. Without it no tick is marked.'),
})

/** The batch of a verb, each request of which is checked on its own. */
export const batchOf = (request: z.ZodType) =>
  z.strictObject({
    requests: z
      .array(request)
      .min(1)
      .max(MOST_REQUESTS)
      .describe('Each is decided on its own. A name may occur more than once: then one after another.'),
    timeout: z
      .number()
      .min(1)
      .optional()
      .describe(`How long the caller waits, in ms. At most ${LONGEST_TIMEOUT}. Default: 10000.`),
  })

const error = z
  .object({
    code: z.enum(Object.keys(ERROR_CODES) as [WireErrorCode, ...WireErrorCode[]]),
    message: z.string(),
  })
  .meta({ id: 'Error' })

export const failure = z.object({ error }).meta({ id: 'Failure' })

const lease = z
  .object({
    name: z.string(),
    owner: z.string(),
    fencingToken: z.number().int().min(1).describe('Grows with every grant of this name.'),
    acquiredAt: time().describe("When the lock was first granted to this owner, by the store's clock."),
    lockUntil: time().describe(
      "Until when it is granted, by the store's clock. What is left is lockUntil - storeTime, counted from the sending of the request.",
    ),
    storeTime: storeTime(),
  })
  .meta({ id: 'Lease' })

const lockRecord = z
  .object({
    name: z.string(),
    lockedBy: z.string().describe('The holder as written in the store.'),
    lockedAt: time(),
    lockUntil: time().describe('The lock is free when this is not after storeTime.'),
    fencingToken: z.number().int().min(0),
    lastTick: time().optional(),
    tickDone: z.boolean().describe('Whether the holder of lastTick released.'),
    metadata: z.string().optional(),
    paused: z.boolean().optional().describe('Whether ticks of this name are refused.'),
    storeTime: storeTime(),
  })
  .meta({ id: 'LockRecord' })

const unreadableRecord = z
  .object({ name: z.string(), unreadable: error, storeTime: storeTime() })
  .meta({ id: 'UnreadableRecord' })

const acquireResult = z.union([
  z.object({
    granted: z.literal(true),
    lease,
    rerun: z
      .boolean()
      .optional()
      .describe('The tick had been granted to another owner, whose lease expired before the tick was done.'),
  }),
  z.object({
    granted: z.literal(false),
    reason: z.enum(['held', 'tick-taken', 'clock-ahead', 'paused']),
    record: lockRecord.optional().describe('The record as it is. Missing when there is none.'),
    storeTime: storeTime(),
  }),
  failure,
])

const resultsOf = (result: z.ZodType) =>
  z.object({ results: z.array(result).describe('One for each request, in their order.') })

export const acquireResponse = resultsOf(acquireResult)
export const extendResponse = resultsOf(
  z.union([
    z.object({ extended: z.literal(true), lease }),
    z.object({ extended: z.literal(false).describe('This owner has no unexpired lease.') }),
    failure,
  ]),
)
export const releaseResponse = resultsOf(
  z.union([
    z.object({
      released: z
        .boolean()
        .describe('True when this call or an earlier one of the same owner ended the lease; false when it had none.'),
    }),
    failure,
  ]),
)

export const readRequest = z.strictObject({
  names: z.array(z.string()).max(MOST_REQUESTS).optional().describe('Only these. Default: all.'),
})
export const readResponse = z.object({ records: z.array(z.union([lockRecord, unreadableRecord])) })

export const forceReleaseRequest = z.strictObject({ name: name() })
export const forceReleaseResponse = z.object({ released: z.boolean().describe('False when nobody held it.') })

export const resetRequest = z.strictObject({ name: name(), maxClockSkew: duration().default(60_000) })
export const resetResponse = z.object({ repaired: z.boolean().describe('False when there was nothing to repair.') })

export const pruneRequest = z.strictObject({
  olderThan: duration().describe('Records that have been free, and whose last tick has been past, for this many ms.'),
})
export const pruneResponse = z.object({ pruned: z.number().int().describe('How many records were deleted.') })

export const setPausedRequest = z.strictObject({ name: name(), paused: z.boolean() })
export const setPausedResponse = z.object({ changed: z.boolean().describe('False when it was so before.') })

const outcome = z.enum(['running', 'succeeded', 'failed', 'lost', 'skipped', 'missed'])

const historyEntry = z.strictObject({
  id: z.string(),
  job: z.string(),
  node: z.string(),
  kind: z.enum(['schedule', 'catch-up', 'rerun', 'trigger']),
  outcome,
  scheduledAt: time(),
  at: time(),
  duration: z.number().optional(),
  fencingToken: z.number().int().optional(),
  reason: z.string().optional(),
  error: z.string().optional(),
})

const nodeState = z.strictObject({
  label: z.string(),
  startedAt: time(),
  skew: z.number(),
  running: z.number().int(),
  stopped: z.boolean(),
})

const recordedEntries = z.object({
  entries: z.array(historyEntry.extend({ changedAt: time() }).meta({ id: 'RecordedEntry' })),
})

export const historyWriteRequest = z.strictObject({
  entries: z.array(historyEntry).max(MOST_REQUESTS),
  node: nodeState.optional(),
})
export const historyWriteResponse = z.object({})
export const historyReadRequest = z.strictObject({
  job: z.string().optional(),
  from: time().optional(),
  to: time().optional(),
  changedSince: time().optional(),
  outcome: outcome.optional(),
  limit: z.number().int().min(1).max(MOST_REQUESTS),
})
export const historyLatestRequest = z.strictObject({
  jobs: z.array(z.string()).max(MOST_REQUESTS),
  count: z.number().int().min(1).max(MOST_REQUESTS),
})
export const historyEntriesResponse = recordedEntries
export const historyNodesRequest = z.strictObject({})
export const historyNodesResponse = z.object({
  nodes: z.array(nodeState.extend({ seenAt: time() }).meta({ id: 'RecordedNode' })),
})
export const historyTrimRequest = z.strictObject({ olderThanMs: duration(), most: z.number().int().min(0) })
export const historyTrimResponse = z.object({ dropped: z.number().int() })

/** The schemas have the types of the contract. */
type Fits<Schema extends z.ZodType, Type> = z.output<Schema> extends Type ? true : never
export const matchesContract: [
  Fits<typeof acquireRequest, AcquireRequest>,
  Fits<typeof extendRequest, ExtendRequest>,
  Fits<typeof releaseRequest, ReleaseRequest>,
  Fits<typeof lease, Lease>,
  Fits<typeof lockRecord, LockRecord>,
  Fits<typeof historyEntry, HistoryEntry>,
  Fits<typeof historyReadRequest, HistoryQuery>,
  Fits<typeof nodeState, NodeState>,
] = [true, true, true, true, true, true, true, true]
