export type { RedisClient, RedisCluster, RedisCommands, RedisScanner } from './client.ts'
export { type RedisOptions, redis } from './redis.ts'
