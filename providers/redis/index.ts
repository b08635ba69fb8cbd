export { redisAccess } from './access.ts'
export type { RedisClient, RedisCluster, RedisCommands, RedisServer } from './driver.ts'
export type { RedisOptions } from './options.ts'
export { redis } from './redis.ts'
