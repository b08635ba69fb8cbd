import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockProvider,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import type { Holding, JobAccount } from './job-account.ts'
import type { Life } from './life.ts'
import type { Witness } from './witness.ts'

/** Ticks beyond this are asked for only to learn the store's clock. */
export const NEVER = Date.UTC(9000, 0)
/** Stores round to whole milliseconds, and Redis keeps a key through the one in which it expires. */
const ROUNDING = 2
/** The furthest that a tick may lie ahead of the store's clock when it is granted, in ms, whatever its node knows of that clock. */
const EARLIEST = 1_000

/** Watches what the store answers to one process, keeps its own account of each name, and judges every answer by it. */
export function watchStore(witness: Witness, life: Life, store: LockProvider): LockProvider {
  return {
    ...store,
    acquire: async (requests) => {
      const results = await store.acquire(requests)
      for (const [index, result] of results.entries())
        if (result instanceof Error) onFailure(witness, life, requests[index] as AcquireRequest, result)
        else onAcquire(witness, life, requests[index] as AcquireRequest, result)
      return results
    },
    extend: async (requests) => {
      const leases = await store.extend(requests)
      for (const [index, lease] of leases.entries())
        if (!(lease instanceof Error)) onExtend(witness, life, requests[index] as ExtendRequest, lease)
      return leases
    },
    release: async (requests) => {
      const freed = await store.release(requests)
      for (const [index, each] of freed.entries())
        if (!(each instanceof Error)) onRelease(witness, life, requests[index] as ReleaseRequest, each)
      return freed
    },
  }
}

/** The request failed alone: the node has asked. Nothing but a bad record is a reason. */
function onFailure(witness: Witness, life: Life, { name, tick }: AcquireRequest, error: Error): void {
  const file = witness.files.get(name)
  if (!file || tick === undefined || tick >= NEVER) return
  file.dealWith(tick, life, witness.now)
  witness.tell(() => `${life.node} asks for ${name} at ${clockOf(tick)}: ${error.message}`)
}

function onAcquire(witness: Witness, life: Life, request: AcquireRequest, result: AcquireResult): void {
  const { tick } = request
  if (tick !== undefined && tick >= NEVER) {
    if (result.granted) witness.violate('clock-ahead', `${request.name} was granted for a tick in the year 9000`)
    return
  }
  const file = witness.file(request.name)
  if (tick !== undefined) file.dealWith(tick, life, witness.now).decidedAt ??= witness.now
  witness.tell(() => `${life.node} asks for ${describe(witness, request)}: ${describeResult(result)}`)
  if (result.granted) onGrant(witness, life, file, request, result.lease)
  else onRefusal(witness, life, file, request, result.reason)
}

function onRefusal(witness: Witness, life: Life, file: JobAccount, request: AcquireRequest, reason: string): void {
  const { holding } = file
  const { tick, owner, name } = request
  const now = witness.now
  const lie = (what: string): void =>
    witness.violate('refused for a reason', `${name} was refused to ${life.node}: ${what}`)
  if (holding.owner === owner && !holding.released && holding.until > now + ROUNDING)
    witness.violate('a lost reply is harmless', `${name} was refused to ${life.node}, which has it`)
  if (reason === 'held') {
    file.heldAt.push(now)
    const late = holding.owner === owner && holding.released
    if (holding.until <= now - ROUNDING && !late) lie('as held, but nobody has it')
  } else if (tick === undefined) lie(`as ${reason}, though it asked for no tick`)
  else if (reason === 'tick-taken') {
    if (tick > holding.lastTick) lie(`as taken, but the last tick granted is an earlier one`)
  } else if (tick <= now + request.maxClockSkew - ROUNDING) lie(`as ahead, but the tick lies ${tick - now} ms ahead`)
  if (tick === undefined) return
  const tickFile = file.tick(tick)
  tickFile.reasons.add(reason)
  if (holding.lastTick === tick && !holding.done && !tickFile.watchers.has(life)) tickFile.watchers.set(life, now)
}

function onGrant(witness: Witness, life: Life, file: JobAccount, request: AcquireRequest, lease: Lease): void {
  const { holding } = file
  const { owner, tick, name } = request
  const now = witness.now
  if (holding.owner === owner && holding.until > now && !holding.released) {
    if (lease.fencingToken !== holding.token)
      witness.violate('a lost reply is harmless', `${name}: the same owner was granted another token`)
    return
  }
  judgeGrant(witness, life, file, request, lease)
  const next: Holding = {
    owner,
    token: lease.fencingToken,
    grantedAt: now,
    until: lease.lockUntil,
    released: false,
    forced: false,
    lastTick: tick ?? holding.lastTick,
    done: tick === undefined ? holding.done : false,
  }
  file.highestToken = Math.max(file.highestToken, lease.fencingToken)
  witness.judgeOthers(file, owner)
  witness.hold(file, next)
  if (tick === undefined) return
  const tickFile = file.tick(tick)
  tickFile.grants.push({ owner, life, at: now })
  tickFile.leaseUntil = lease.lockUntil
}

function judgeGrant(witness: Witness, life: Life, file: JobAccount, request: AcquireRequest, lease: Lease): void {
  const { holding, name } = file
  const { owner, tick } = request
  const now = witness.now
  if (lease.fencingToken <= file.highestToken)
    witness.violate('fencing', `${name} was granted with token ${lease.fencingToken} after ${file.highestToken}`)
  if (holding.until > now + ROUNDING && !holding.released)
    witness.violate(
      'one holder',
      `${name} was granted to ${life.node} ${holding.until - now} ms before the lease of another ended`,
    )
  const run = file.runs.get(holding.owner)
  if (run && !holding.forced) {
    const least = holding.grantedAt + file.leastFor - ROUNDING
    if (now < least) witness.violate('lockAtLeastFor', `${name} was granted ${least - now} ms too soon`)
  }
  if (lease.lockUntil > now + request.lockAtMostFor + ROUNDING)
    witness.violate('lockAtMostFor', `${name} was granted for longer than asked`)
  if (tick === undefined) return
  if (tick > now + EARLIEST + ROUNDING)
    witness.violate('clock-ahead', `${name}: a tick was granted ${tick - now} ms before its time`)
  const unfinished = tick === holding.lastTick && !holding.done
  const again = unfinished && (holding.owner === owner || file.mayRerun)
  if (tick <= holding.lastTick && !again)
    witness.violate('once per tick', `${name}: the tick ${show(tick)} was granted though ${show(holding.lastTick)} was`)
}

function onExtend(witness: Witness, life: Life, request: ExtendRequest, lease: Lease | undefined): void {
  const file = witness.file(request.name)
  const { holding } = file
  const now = witness.now
  const has = holding.owner === request.owner && !holding.released
  witness.tell(
    () =>
      `${life.node} extends ${request.name} (${witness.alias(request.owner)}): ${lease ? `until ${clockOf(lease.lockUntil)}` : 'not held'}`,
  )
  if (lease) {
    if (!has || holding.until <= now - ROUNDING)
      witness.violate('only the owner', `${request.name} was extended for ${life.node}, whose lease was over`)
    witness.hold(file, { ...holding, until: Math.max(lease.lockUntil, 0) })
    const run = file.runs.get(request.owner)
    if (run) run.leaseUntil = Math.max(run.leaseUntil, lease.lockUntil)
    const tick = file.ticks.get(holding.lastTick)
    if (tick) tick.leaseUntil = Math.max(tick.leaseUntil, lease.lockUntil)
  } else if (has && holding.until > now + ROUNDING)
    witness.violate('only the owner', `${request.name} was not extended for ${life.node}, which has it`)
}

function onRelease(witness: Witness, life: Life, request: ReleaseRequest, freed: boolean): void {
  const file = witness.file(request.name)
  const { holding } = file
  const now = witness.now
  const ours = holding.owner === request.owner
  const has = ours && !holding.released && holding.until > now
  witness.tell(() => `${life.node} releases ${request.name} (${witness.alias(request.owner)}): ${freed}`)
  if (freed && !has && !(ours && holding.released) && !(ours && holding.until > now - ROUNDING))
    witness.violate('only the owner', `${request.name} was released for ${life.node}, whose lease was over`)
  if (!freed && has && holding.until > now + ROUNDING)
    witness.violate('only the owner', `${request.name} was not released for ${life.node}, which has it`)
  // A release that comes after the expiry ends the tick all the same, while the record still names its owner.
  const late = ours && !holding.released && holding.until <= now && request.tick === holding.lastTick
  if (!freed && late) witness.hold(file, { ...holding, done: true })
  const ended = !freed && late && file.ticks.get(holding.lastTick)
  if (ended) ended.done = true
  if (!freed || !has) return
  if (request.tick !== undefined && !file.runs.has(request.owner))
    witness.violate(
      'once per tick',
      `${life.node} says that ${request.name} at ${show(request.tick)} is done, and has not run it`,
    )
  const done = holding.done || (request.tick !== undefined && request.tick === holding.lastTick)
  const until = Math.max(now, holding.grantedAt + request.lockAtLeastFor)
  witness.hold(file, { ...holding, released: true, done, until })
  const tick = file.ticks.get(holding.lastTick)
  if (tick && done) tick.done = true
}

const show = (tick: number): string => (Number.isFinite(tick) ? new Date(tick).toISOString() : 'none')
export const clockOf = (time: number): string => new Date(time).toISOString().slice(11, 23)

const describe = (witness: Witness, { name, tick, owner }: AcquireRequest): string =>
  `${name}${tick === undefined ? '' : ` at ${clockOf(tick)}`} (${witness.alias(owner)})`

const describeResult = (result: AcquireResult): string =>
  result.granted
    ? `granted until ${clockOf(result.lease.lockUntil)}, token ${result.lease.fencingToken}`
    : `refused, ${result.reason}`
