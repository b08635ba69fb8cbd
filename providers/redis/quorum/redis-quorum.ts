import { StoreError } from '../../../src/errors.ts'
import type {
  ExtendRequest,
  Lease,
  LockProvider,
  LockRecord,
  ReleaseRequest,
  Settled,
  UnreadableRecord,
} from '../../../src/provider/contract.ts'
import { compareNames } from '../../../src/provider/record.ts'
import { inUniqueRounds } from '../../../src/provider/unique-rounds.ts'
import { unreadableIn, unreadableRecord } from '../format.ts'
import { keySpace } from '../keys.ts'
import { givenToExtend, givenToRelease, yes } from '../replies.ts'
import { listNames } from '../scan.ts'
import type { Script } from '../scripts.ts'
import { acquireByVote } from './acquire.ts'
import { quorumScripts } from './lua.ts'
import { noMajority, repliesIn, sendToAll } from './members.ts'
import { normalize, type QuorumServer, type RedisQuorumOptions } from './options.ts'
import { type MajorityReply, Quorum } from './quorum.ts'
import { leaseOf, newest, type Seen, seenAs } from './seen.ts'

/**
 * Keeps locks on a majority of three, five or seven Redis servers that know nothing of each other, through `ioredis`: a grant survives the loss of
 * any minority of them, which one Redis with replicas does not promise. Takes clients, URLs, or options. What it assumes of the servers is
 * said in docs/providers/redis-quorum.md. The locks are not shared with `redis()`, nor with ShedLock.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function redisQuorum(input: readonly QuorumServer[] | RedisQuorumOptions): LockProvider {
  const { members, prefix, timeout } = normalize(input)
  const space = keySpace(prefix)
  const quorum = new Quorum(members, space, timeout)

  const namesInStore = async () => {
    const said = await sendToAll(
      members,
      LISTING,
      async ({ source }) => listNames(await source.get(), space),
      () => false,
    )
    const replies = repliesIn(said)
    if (replies.length < quorum.size) throw noMajority(said)
    return [...new Set(replies.flat())]
  }
  const tell = (script: Script, names: readonly string[], terms = '') =>
    quorum.sendToMajority(script, () => names.map((name) => ({ name, terms })))

  const read = async (names: readonly string[]) => {
    if (names.length === 0) return []
    const replies = await tell(quorumScripts.read, names)
    const found = names.map((name, index) => recordOf(quorum, name, index, replies))
    return found.filter((record) => record !== undefined).sort(compareNames)
  }

  /** Runs a script for one name on all servers, and repairs the record on those where it can't be read. */
  const runRepairing = async (script: Script, name: string, terms: string): Promise<boolean> => {
    for (let did = false; ; ) {
      const replies = await tell(script, [name], terms)
      did ||= replies.some(({ of }) => of[0] && yes(name, of[0]))
      const broken = replies.filter(({ of }) => unreadableIn(of[0]?.value))
      if (broken.length === 0) return did
      // The same values on all servers, or a majority would have none.
      const now = Math.max(...broken.map(({ of }) => of[0]?.storeTime ?? 0))
      for (const { place, of } of broken) did = (of[0] && (await quorum.repair(place, name, of[0], now))) || did
    }
  }

  return {
    acquire: (requests) => inUniqueRounds(requests, (wave) => acquireByVote(quorum, wave)),
    extend: (requests) => inUniqueRounds(requests, (wave) => extend(quorum, wave)),
    release: (requests) => inUniqueRounds(requests, (wave) => release(quorum, wave)),
    read: async (names) => read(names ? [...new Set(names)] : await namesInStore()),
    forceRelease: (name) => runRepairing(quorumScripts.forceRelease, name, ''),
    async reset({ name, maxClockSkew }) {
      // The same tick on all servers: any of them that remembers a later one would refuse what the others grant.
      const replies = await tell(quorumScripts.read, [name])
      const present = Math.max(...replies.map(({ of, ahead }) => Math.floor((of[0]?.storeTime ?? 0) - ahead)))
      return runRepairing(quorumScripts.reset, name, `${maxClockSkew} ${present}`)
    },
    async prune(olderThanMs) {
      const names = await namesInStore()
      if (names.length === 0) return 0
      const replies = await tell(quorumScripts.prune, names, String(olderThanMs))
      const dropped = names.filter((_, index) => replies.some(({ of }) => isYes(of[index]?.value)))
      // Some server may have found that it was used less long ago.
      return dropped.length - (await read(dropped)).length
    },
    async close() {
      await Promise.all(members.map(({ source }) => source.close()))
    },
  }
}

/** A walk over all keys takes its time, in ms. */
const LISTING = 5_000

/** A 1 or 0; a client may be told to return numbers as strings. */
const isYes = (value: unknown): boolean => Number(value) === 1

/** What the servers have of a name, but for those whose record can't be read. */
const seenOf = (name: string, index: number, replies: readonly MajorityReply[]): Seen[] =>
  replies.flatMap(({ of, ahead }) => {
    const reply = of[index]
    if (!reply || reply.value === '' || unreadableIn(reply.value)) return []
    return [seenAs(name, String(reply.value), reply.storeTime, ahead)]
  })

/** The first record of a name that can't be read, and how many there are. */
function unreadableOf(quorum: Quorum, name: string, index: number, replies: readonly MajorityReply[]) {
  const all = replies.flatMap(({ of }): UnreadableRecord[] => {
    const reply = of[index]
    const found = reply && unreadableIn(reply.value)
    return found ? [unreadableRecord(name, quorum.keyOf(name), found, reply.storeTime)] : []
  })
  return { first: all[0], count: all.length }
}

function recordOf(
  quorum: Quorum,
  name: string,
  index: number,
  replies: readonly MajorityReply[],
): LockRecord | UnreadableRecord | undefined {
  const { first, count } = unreadableOf(quorum, name, index, replies)
  return replies.length - count < quorum.size ? first : newest(name, seenOf(name, index, replies), quorum.size)
}

/** Extended when a majority has extended; not held when a majority says so. */
async function extend(quorum: Quorum, requests: readonly ExtendRequest[]): Promise<Settled<Lease | undefined>[]> {
  if (requests.length === 0) return []
  const replies = await quorum.sendToMajority(quorumScripts.extend, (place) =>
    requests.map((request) => ({ name: request.name, ...givenToExtend(byClock(request, quorum.aheadOf(place))) })),
  )
  return requests.map(({ name, owner }, index) => {
    const held = seenOf(name, index, replies)
    const isHeld = decided(quorum, name, index, replies, held.length)
    if (isHeld !== true) return isHeld === false ? undefined : isHeld
    const closed = held.filter(({ open }) => !open)
    // A majority was confirmed, so some of these are; an open vote's token was never anybody's.
    if (closed.length === 0) return undefined
    const fencingToken = Math.max(...closed.map(({ record }) => record.fencingToken))
    return { ...leaseOf(name, owner, held, quorum.size), fencingToken }
  })
}

async function release(quorum: Quorum, requests: readonly ReleaseRequest[]): Promise<Settled<boolean>[]> {
  if (requests.length === 0) return []
  const replies = await quorum.sendToMajority(quorumScripts.release, () =>
    requests.map((request) => ({ name: request.name, ...givenToRelease(request) })),
  )
  return requests.map(({ name }, index) => {
    const freed = replies.filter(({ of }) => isYes(of[index]?.value)).length
    return decided(quorum, name, index, replies, freed)
  })
}

/** What a majority of all servers says, or an error when neither side has one. */
function decided(
  quorum: Quorum,
  name: string,
  index: number,
  replies: readonly MajorityReply[],
  yesses: number,
): Settled<boolean> {
  const { first, count } = unreadableOf(quorum, name, index, replies)
  const answered = replies.length - count
  if (yesses >= quorum.size) return true
  if (answered - yesses >= quorum.size) return false
  return (
    first?.unreadable ??
    new StoreError(`no majority of the Redis servers agrees: ${yesses} of the ${answered} that answered said yes`)
  )
}

/** A time by the common clock, as the server's own shows it. */
const byClock = (request: ExtendRequest, ahead: number): ExtendRequest =>
  request.mayShortenUntil === undefined ? request : { ...request, mayShortenUntil: request.mayShortenUntil + ahead }
