/*
 * One bad name harms only itself. A request that the table can't keep is not sent; and a batch that fails for the sake of one request is cut into
 * parts until that one stands alone.
 */
import { RecordBusyError, StoreError } from '../../src/errors.ts'
import type { CallOptions, Settled } from '../../src/provider/contract.ts'
import { allSettledOrThrow, splitInto } from '../../src/provider/parallel.ts'
import { inUniqueRounds } from '../../src/provider/unique-rounds.ts'
import { type KeptRequest, unfit } from './check-lengths.ts'
import { type Bounds, DEFAULT_TIMEOUT } from './client.ts'
import { codeOf } from './prepared.ts'
import type { Table } from './table.ts'

/** Decides requests for different names. */
export type Decide<Request, Result> = (requests: readonly Request[]) => Promise<readonly Settled<Result>[]>

/** lock_not_available: somebody's open transaction has locked the record, or created it. */
export const BUSY = '55P03'

/** Classes of errors that the values of a single row cause: data, constraints, limits of the server, triggers. */
const OF_ONE_ROW = /^(22|23|54|P0)/

/** Into so many parts: a name among 10,000 stands alone after five rounds. */
const PARTS = 8

/** How long a batch waits for somebody else who creates one of its records, ms: longer than another node's batch takes, mostly. */
const LOCK_TIMEOUT = 100

export const boundsOf = ({ timeout = DEFAULT_TIMEOUT }: CallOptions = {}): Bounds => ({
  timeout,
  lockTimeout: Math.max(1, Math.ceil(Math.min(LOCK_TIMEOUT, timeout))),
})

/** Decides a batch. Its names may repeat. */
export const decideBatch = <Request extends KeptRequest, Result>(
  table: Table,
  requests: readonly Request[],
  decide: Decide<Request, Result>,
): Promise<readonly Settled<Result>[]> =>
  inUniqueRounds<Request, Settled<Result>>(requests, async (wave) => {
    let misfits = unfitOf(wave, await table.widths())
    if (misfits.size > 0) misfits = unfitOf(wave, await table.widths(true))
    if (misfits.size === 0) return await decide(wave)
    const results = await decide(wave.filter((request) => !misfits.has(request)))
    let next = 0
    return wave.map((request) => misfits.get(request) ?? (results[next++] as Settled<Result>))
  })

function unfitOf(
  requests: readonly KeptRequest[],
  widths: Parameters<typeof unfit>[1],
): ReadonlyMap<KeptRequest, Error> {
  const misfits = new Map<KeptRequest, Error>()
  for (const request of requests) {
    const misfit = unfit(request, widths)
    if (misfit) misfits.set(request, misfit)
  }
  return misfits
}

/** Sends a batch of different names. A failed statement was undone as a whole, so its parts may be sent again. */
export async function eachAlone<Request extends { readonly name: string }, Result>(
  requests: readonly Request[],
  send: Decide<Request, Result>,
): Promise<readonly Settled<Result>[]> {
  const [first] = requests
  if (!first) return []
  try {
    return await send(requests)
  } catch (error) {
    const code = String(codeOf(error))
    if (code !== BUSY && !OF_ONE_ROW.test(code)) throw error
    if (requests.length === 1) return [errorOf(first.name, code, error)]
    const parts = splitInto(requests, Math.min(PARTS, requests.length))
    return (await allSettledOrThrow(parts.map((part) => eachAlone(part, send)))).flat()
  }
}

function errorOf(name: string, code: string, cause: unknown): Error {
  if (code === BUSY) return new RecordBusyError(name, { cause })
  const why = cause instanceof Error ? cause.message : String(cause)
  return new StoreError(`postgres: the table can't keep lock ${JSON.stringify(name)}: ${why}`, { cause })
}

/** What a statement takes for one of its array parameters. */
export const column = <Request>(requests: readonly Request[], value: (request: Request) => unknown): unknown[] =>
  requests.map((request) => value(request) ?? null)

export const byName = <Row extends { readonly name: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.name, row]))
