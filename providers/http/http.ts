import type { CallOptions, LockProvider, LockRecord, Settled, UnreadableRecord } from '../../src/provider/contract.ts'
import { compareNames } from '../../src/provider/record.ts'
import { inChunks } from './batches.ts'
import { Transport } from './client.ts'
import { httpHistory } from './history.ts'
import { checkHttpOptions, type HttpOptions } from './options.ts'
import { toAcquire, toExtend, toRelease } from './requests.ts'
import {
  acquireResultOf,
  arrayOf,
  booleanOf,
  extendResultOf,
  numberOf,
  objectOf,
  readableOf,
  releaseResultOf,
  resultsOf,
} from './responses.ts'

/**
 * Keeps locks in the store behind `ticklock serve`: one HTTP request for a batch. Takes a URL, several, or options. The server sets its store up, and the
 * clock of that store decides. A call whose response was lost is repeated with the same owners, on the same server or the next, a bounded number of times.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function http(input: string | readonly string[] | HttpOptions): LockProvider {
  const options = checkHttpOptions(input)
  const transport = new Transport(options)

  const call = (path: string, body: object, isRepeatable: boolean): Promise<unknown> =>
    transport.call(path, () => JSON.stringify(body), { timeout: options.timeout, isRepeatable })

  /** One chunk after another: a name may occur in several. */
  const batch = async <Request extends { readonly name: string }, Result>(
    path: string,
    requests: readonly Request[],
    encode: (request: Request) => Request,
    decode: (result: Readonly<Record<string, unknown>>, request: Request) => Result,
    { timeout = options.timeout }: CallOptions = {},
  ): Promise<Settled<Result>[]> => {
    const deadline = performance.now() + timeout
    const results: Settled<Result>[] = []
    for (const { requests: chunk, json } of inChunks(requests.map(encode))) {
      const bodyFor = (ms: number): string => `{"timeout":${Math.max(Math.floor(ms), 1)},"requests":[${json}]}`
      const terms = { timeout: Math.max(deadline - performance.now(), 1), isRepeatable: true }
      for (const result of resultsOf(await transport.call(path, bodyFor, terms), chunk, decode)) results.push(result)
    }
    return results
  }

  const read = async (body: object): Promise<(LockRecord | UnreadableRecord)[]> =>
    arrayOf(objectOf(await call('read', body, true), 'records').records, 'records').map(readableOf)

  /** A verb that must not be repeated when its response is lost: somebody else may have acted since. */
  const once = async (path: string, body: object, field: string): Promise<unknown> =>
    objectOf(await call(path, body, false), field)[field]

  return {
    acquire: (requests, terms) => batch('acquire', requests, toAcquire, acquireResultOf, terms),
    extend: (requests, terms) => batch('extend', requests, toExtend, extendResultOf, terms),
    release: (requests, terms) => batch('release', requests, toRelease, releaseResultOf, terms),
    async read(names) {
      if (!names) return read({})
      const found: (LockRecord | UnreadableRecord)[] = []
      for (const { requests } of inChunks([...new Set(names)])) found.push(...(await read({ names: requests })))
      return found.sort(compareNames)
    },
    forceRelease: async (name) => booleanOf(await once('force-release', { name }, 'released'), 'released'),
    reset: async ({ name, maxClockSkew }) =>
      booleanOf(await once('reset', { name, maxClockSkew }, 'repaired'), 'repaired'),
    prune: async (olderThan) => numberOf(await once('prune', { olderThan }, 'pruned'), 'pruned'),
    setPaused: async ({ name, paused }) => booleanOf(await once('set-paused', { name, paused }, 'changed'), 'changed'),
    history: httpHistory(call),
    close: async () => transport.close(),
  }
}
