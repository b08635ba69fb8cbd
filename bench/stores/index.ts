import type { ServerName } from '../../test/servers/index.ts'
import type { BenchContext } from '../harness/row.ts'
import { measuredMongodb } from './mongodb.ts'
import { measuredMysql } from './mysql.ts'
import { measuredPostgres } from './postgres.ts'
import { measuredRedis } from './redis.ts'
import type { MeasuredStore } from './store.ts'

export type { Call, MeasuredStore } from './store.ts'

/** The stores that rows measure on, in the order of the table. */
export const STORES = ['postgres', 'mysql', 'mariadb', 'mongodb', 'redis'] as const
export type StoreName = (typeof STORES)[number]

const open: Readonly<Record<StoreName, (url: string, connections: number) => Promise<MeasuredStore>>> = {
  postgres: measuredPostgres,
  mysql: (url, connections) => measuredMysql('mysql', url, connections),
  mariadb: (url, connections) => measuredMysql('mariadb', url, connections),
  mongodb: measuredMongodb,
  redis: measuredRedis,
}

/** Those of the names that this run wants. */
export const wantedStores = <Name extends string>(context: BenchContext, names: readonly Name[]): readonly Name[] =>
  names.filter((name) => context.options.stores.length === 0 || context.options.stores.includes(name))

/** Calls the work with each store that is wanted and that this machine has, one after another. */
export async function onEach<Result>(
  context: BenchContext,
  names: readonly StoreName[],
  connections: number,
  work: (store: MeasuredStore) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const name of wantedStores(context, names)) {
    const server = await context.server(name satisfies ServerName)
    if (!server) continue
    const store = await open[name](server.url, connections)
    try {
      context.say(`  on ${server.version}`)
      results.push(...(await work(store)))
    } finally {
      await store.forget()
      await store.close()
    }
  }
  return results
}
