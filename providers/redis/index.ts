export { redisAccess } from './access.ts'
export type { RedisClient, RedisCluster, RedisCommands, RedisServer } from './client.ts'
export type { RedisOptions } from './options.ts'
export { redis } from './redis.ts'
