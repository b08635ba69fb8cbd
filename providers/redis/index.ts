export type { RedisClient, RedisCluster, RedisCommands, RedisServer } from './client.ts'
export { type RedisOptions, redis } from './redis.ts'
