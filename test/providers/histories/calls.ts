/* Calls as they are sent, made of what was asked for and what is there. */
import type { AcquireRequest, ExtendRequest, LockRecord, ReleaseRequest } from '../../../src/provider/contract.ts'
import { holderOf, releasedHolderOf } from '../../../src/provider/holder.ts'
import type { AskedAcquire, AskedExtend, AskedRelease, Operation, TickChoice, Who } from './operations.ts'

export type Call =
  | { readonly verb: 'acquire'; readonly requests: readonly AcquireRequest[] }
  | { readonly verb: 'extend'; readonly requests: readonly ExtendRequest[] }
  | { readonly verb: 'release'; readonly requests: readonly ReleaseRequest[] }
  | { readonly verb: 'read'; readonly names: readonly string[] | undefined }
  | { readonly verb: 'forceRelease'; readonly name: string }
  | { readonly verb: 'prune'; readonly olderThanMs: number }

/** Who may ask: an owner with its label. */
export interface Owner {
  readonly owner: string
  readonly label: string
}

/** What there is when a call is made. */
export interface Situation {
  readonly names: readonly string[]
  readonly owners: readonly Owner[]
  /** The records as they were last read. */
  readonly records: ReadonlyMap<string, LockRecord>
  /** The store's clock as it was last seen. */
  readonly storeTime: number
}

export function callOf(
  operation: Exclude<Operation, { verb: 'repeat' | 'lose' | 'wait' }>,
  situation: Situation,
): Call {
  const nameAt = (index: number): string => situation.names[index] as string
  switch (operation.verb) {
    case 'acquire':
      return {
        verb: 'acquire',
        requests: operation.asked.map((asked) => acquireOf(asked, nameAt(asked.name), situation)),
      }
    case 'extend':
      return {
        verb: 'extend',
        requests: operation.asked.map((asked) => extendOf(asked, nameAt(asked.name), situation)),
      }
    case 'release':
      return {
        verb: 'release',
        requests: operation.asked.map((asked) => releaseOf(asked, nameAt(asked.name), situation)),
      }
    case 'read':
      return { verb: 'read', names: operation.names?.map(nameAt) }
    case 'forceRelease':
      return { verb: 'forceRelease', name: nameAt(operation.name) }
    case 'prune':
      return operation
  }
}

const acquireOf = ({ who, tick, ...asked }: AskedAcquire, name: string, situation: Situation): AcquireRequest =>
  withoutUndefined({
    ...asked,
    name,
    ...ownerOf(who, name, situation),
    tick: tickOf(tick, name, situation, asked.maxClockSkew),
  })

const extendOf = ({ who, mayShortenFor, ...asked }: AskedExtend, name: string, situation: Situation): ExtendRequest =>
  withoutUndefined({
    ...asked,
    name,
    ...ownerOf(who, name, situation),
    mayShortenUntil: mayShortenFor === undefined ? undefined : situation.storeTime + mayShortenFor,
  })

const releaseOf = ({ who, tick, ...asked }: AskedRelease, name: string, situation: Situation): ReleaseRequest =>
  withoutUndefined({ ...asked, name, ...ownerOf(who, name, situation), tick: tickOf(tick, name, situation, 0) })

/** What isn't asked for isn't there, as in most requests. */
const withoutUndefined = <Request extends object>(request: Request): Request =>
  Object.freeze(Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))) as Request

function ownerOf(who: Who, name: string, { owners, records }: Situation): Owner {
  if (typeof who === 'number') return owners[who] as Owner
  const lockedBy = records.get(name)?.lockedBy
  const holder = owners.find((owner) => [holderOf(owner), releasedHolderOf(owner)].includes(lockedBy ?? ''))
  return holder ?? (owners[0] as Owner)
}

/** Ticks are whole milliseconds. */
function tickOf(choice: TickChoice, name: string, { records, storeTime }: Situation, skew: number): number | undefined {
  if (!choice) return undefined
  const now = Math.floor(storeTime)
  const from = { last: records.get(name)?.lastTick ?? now, now, bound: now + skew }[choice.from]
  return from + choice.ms
}
