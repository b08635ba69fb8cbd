import { StoreError } from '../../../src/errors.ts'
import type { ExtendRequest, Lease, LockProvider, ReleaseRequest } from '../../../src/provider/contract.ts'
import { inWaves } from '../../../src/provider/waves.ts'
import { keySpace } from '../keys.ts'
import { extendArgs, releaseArgs } from '../records.ts'
import { listNames } from '../scan.ts'
import type { Script } from '../scripts.ts'
import { acquireByVote } from './acquire.ts'
import { quorumScripts } from './lua.ts'
import { answersIn, askAll, noMajority } from './members.ts'
import { normalize, type QuorumServer, type RedisQuorumOptions } from './options.ts'
import { type Answered, Quorum } from './quorum.ts'
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
  const quorum = new Quorum(members, keySpace(prefix), timeout)

  const namesInStore = async (part: 'state' | 'any') => {
    const list = async (member: (typeof members)[number]) =>
      listNames(await member.source.get(), keySpace(prefix), part)
    const said = await askAll(members, LISTING, list, () => false)
    const answers = answersIn(said)
    if (answers.length < quorum.size) throw noMajority(said)
    return [...new Set(answers.flat())]
  }
  const tell = (script: Script, names: readonly string[], args: readonly string[] = []) =>
    quorum.askMajority(script, () => names.map((name) => ({ name, args })))

  const read = async (names: readonly string[]) => {
    if (names.length === 0) return []
    const answers = await tell(quorumScripts.read, names)
    const found = names.map((name, index) => newest(name, seenOf(name, index, answers), quorum.size))
    return found.filter((record) => record !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  return {
    acquire: (requests) => inWaves(requests, (wave) => acquireByVote(quorum, wave)),
    extend: (requests) => extend(quorum, requests),
    release: (requests) => release(quorum, requests),
    read: async (names) => read(names ? [...new Set(names)] : await namesInStore('any')),
    async forceRelease(name) {
      const answers = await tell(quorumScripts.forceRelease, [name])
      return answers.some(({ of }) => isYes(of[0]?.value))
    },
    reset: () => Promise.reject(new Error('reset is not there yet')),
    async prune(olderThanMs) {
      const names = await namesInStore('state')
      if (names.length === 0) return 0
      const answers = await tell(quorumScripts.prune, names, [String(olderThanMs)])
      const dropped = names.filter((_, index) => answers.some(({ of }) => isYes(of[index]?.value)))
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

/** A 1 or 0; a client may be told to answer numbers as strings. */
const isYes = (value: unknown): boolean => Number(value) === 1

const seenOf = (name: string, index: number, answers: readonly Answered[]): Seen[] =>
  answers.flatMap(({ of, ahead }) => {
    const answer = of[index]
    const seen = answer?.value ? seenAs(name, answer.value, answer.storeTime, ahead) : undefined
    return seen ? [seen] : []
  })

/** Extended when a majority has extended; not held when a majority says so. */
async function extend(quorum: Quorum, requests: readonly ExtendRequest[]): Promise<(Lease | undefined)[]> {
  if (requests.length === 0) return []
  const answers = await quorum.askMajority(quorumScripts.extend, (place) =>
    requests.map((request) => ({ name: request.name, args: extendArgs(byClock(request, quorum.aheadOf(place))) })),
  )
  return requests.map(({ name, owner }, index) => {
    const held = seenOf(name, index, answers)
    if (isDecided(quorum, held.length, answers.length)) {
      const closed = held.filter(({ open }) => !open)
      // A majority was confirmed, so some of these are; an open vote's token was never anybody's.
      if (closed.length === 0) return undefined
      const fencingToken = Math.max(...closed.map(({ record }) => record.fencingToken))
      return { ...leaseOf(name, owner, held, quorum.size), fencingToken }
    }
    return undefined
  })
}

async function release(quorum: Quorum, requests: readonly ReleaseRequest[]): Promise<boolean[]> {
  if (requests.length === 0) return []
  const answers = await quorum.askMajority(quorumScripts.release, () =>
    requests.map((request) => ({ name: request.name, args: releaseArgs(request) })),
  )
  return requests.map((_, index) => {
    const freed = answers.filter(({ of }) => isYes(of[index]?.value)).length
    return isDecided(quorum, freed, answers.length)
  })
}

/** @throws {StoreError} when neither side has a majority of all servers. */
function isDecided(quorum: Quorum, yes: number, answered: number): boolean {
  if (yes >= quorum.size) return true
  if (answered - yes >= quorum.size) return false
  throw new StoreError(`no majority of the Redis servers agrees: ${yes} of the ${answered} that answered said yes`)
}

/** A time by the common clock, as the server's own shows it. */
const byClock = (request: ExtendRequest, ahead: number): ExtendRequest =>
  request.mayShortenUntil === undefined ? request : { ...request, mayShortenUntil: request.mayShortenUntil + ahead }
