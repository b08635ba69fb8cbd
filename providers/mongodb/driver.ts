/* The small part of the official driver that the provider uses. `Collection`, `Db` and `MongoClient` of `mongodb` 6 and 7 fit. */

/** The driver's `Collection`. */
export interface MongoCollection {
  aggregate(pipeline: object[], options: object): { toArray(): Promise<unknown[]> }
  findOneAndUpdate(filter: object, update: object[], options: object): Promise<unknown>
  bulkWrite(operations: readonly object[], options: object): Promise<{ readonly matchedCount: number }>
  deleteMany(filter: object, options: object): Promise<{ readonly deletedCount: number }>
  createIndex(keys: Readonly<Record<string, 1 | -1>>, options: object): Promise<unknown>
}

/** The driver's `Db`. */
export interface MongoDatabase {
  collection(name: string): MongoCollection
}

/** The driver's `MongoClient`. */
export interface MongoDatabases {
  db(name?: string): MongoDatabase
}

export const isCollection = (value: unknown): value is MongoCollection => has(value, 'findOneAndUpdate')
export const isDatabase = (value: unknown): value is MongoDatabase => has(value, 'collection')
export const isClient = (value: unknown): value is MongoDatabases => has(value, 'db')

const has = (value: unknown, method: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function'
