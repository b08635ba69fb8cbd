/* Turns requests into what the scripts are given, and their replies into what the contract says. */

import type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Lease,
  LockRecord,
  Refused,
  ReleaseRequest,
} from '../../src/provider/contract.ts'
import { holderOf } from '../../src/provider/holder.ts'
import { escapeText, milliseconds, recordIn } from './format.ts'
import type { Given, ScriptReply } from './script-runner.ts'

export const whoOf = (request: { readonly owner: string; readonly label: string }): string =>
  escapeText(holderOf(request))

export const acquireTerms = ({ lockAtMostFor, tick, onCrash, maxClockSkew, metadata }: AcquireRequest): string =>
  `${lockAtMostFor} ${tick ?? '-'} ${onCrash === 'rerun' ? '1' : '-'} ${maxClockSkew}${metadata === undefined ? '' : ` ${escapeText(metadata)}`}`

export const givenToAcquire = (request: AcquireRequest): Given => ({
  terms: acquireTerms(request),
  who: whoOf(request),
})

export const givenToExtend = (request: ExtendRequest): Given => {
  const { lockAtMostFor, lockAtLeastFor, mayShortenUntil } = request
  const until = mayShortenUntil === undefined ? '-' : Math.round(mayShortenUntil * 1000)
  return { terms: `${lockAtMostFor} ${lockAtLeastFor} ${until}`, who: whoOf(request) }
}

export const givenToRelease = (request: ReleaseRequest): Given => ({
  terms: `${request.lockAtLeastFor} ${request.tick ?? '-'}`,
  who: whoOf(request),
})

export function acquireResult({ name, owner }: AcquireRequest, { value, storeTime }: ScriptReply): AcquireResult {
  const [outcome, text] = wordAndRest(value)
  const lease = (): Lease => leaseIn(name, owner, text, storeTime)
  if (outcome === 'granted' || outcome === 'rerun') return { granted: true, lease: lease(), rerun: outcome === 'rerun' }
  if (outcome === 'repeated') return { granted: true, lease: lease() }
  const record = text === '' ? undefined : recordIn(name, text, storeTime)
  return { granted: false, reason: outcome as Refused['reason'], record, storeTime }
}

export const extendResult = ({ name, owner }: ExtendRequest, { value, storeTime }: ScriptReply): Lease | undefined =>
  value === '' ? undefined : leaseIn(name, owner, String(value), storeTime)

export const readResult = (
  { name }: { readonly name: string },
  { value, storeTime }: ScriptReply,
): LockRecord | undefined => (value === '' ? undefined : recordIn(name, String(value), storeTime))

/** A 1 or 0; a client may be told to return numbers as strings. */
export const yes = (_: unknown, { value }: ScriptReply): boolean => Number(value) === 1

/** The outcome with which a reply begins, and the record after it. */
export function wordAndRest(value: unknown): [word: string, rest: string] {
  const reply = String(value)
  const cut = reply.indexOf(' ')
  return [reply.slice(0, cut), reply.slice(cut + 1)]
}

function leaseIn(name: string, owner: string, text: string, storeTime: number): Lease {
  const { acquiredAt, lockUntil, fencingToken } = grantIn(text)
  return { name, owner, fencingToken, acquiredAt, lockUntil, storeTime }
}

/** The last one read: most grants of a batch are the same but for their holders. */
let last = { text: '', lockUntil: 0, acquiredAt: 0, fencingToken: 0 }

function grantIn(text: string): Pick<Lease, 'lockUntil' | 'acquiredAt' | 'fencingToken'> {
  if (text !== last.text) {
    const [, lockUntil, acquiredAt, token] = text.split(' ', 4)
    const times = { lockUntil: milliseconds(lockUntil), acquiredAt: milliseconds(acquiredAt) }
    last = { text, ...times, fencingToken: Number(token) }
  }
  return last
}
