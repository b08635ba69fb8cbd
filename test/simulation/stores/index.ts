import { memoryStore } from './memory.ts'
import { mongodbStore } from './mongodb.ts'
import { mysqlStore } from './mysql.ts'
import { postgresStore } from './postgres.ts'
import { redisStore } from './redis.ts'
import { sqliteStore } from './sqlite.ts'
import type { SimulatedStore, StoreKind, StoreWorld } from './store.ts'

export { BadRecords, type Poison } from './bad-records.ts'
export { FURTHEST_BEHIND } from './kept.ts'
export type { SimulatedStore, StoreKind, StoreWorld } from './store.ts'

const stores: Readonly<Record<StoreKind, (world: StoreWorld) => SimulatedStore>> = {
  postgres: postgresStore,
  mysql: mysqlStore,
  mongodb: mongodbStore,
  redis: redisStore,
  sqlite: sqliteStore,
  memory: memoryStore,
}

export const storeKinds = Object.keys(stores) as readonly StoreKind[]

/** A store of this kind, empty. The model of `mysql` is MariaDB's too, and that of `redis` also Sentinel's, and a cluster's with `masters`. */
export const simulatedStore = (kind: StoreKind, world: StoreWorld): SimulatedStore => stores[kind](world)
