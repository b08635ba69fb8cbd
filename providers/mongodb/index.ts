export type { MongoCollection, MongoDatabase, MongoDatabases } from './driver.ts'
export { mongodb } from './mongodb.ts'
export type { MongodbInput, MongodbOptions } from './options.ts'
