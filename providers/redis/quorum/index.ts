export type { RedisClient, RedisCommands, RedisServer } from '../driver.ts'
export type { QuorumServer, RedisQuorumOptions } from './options.ts'
export { redisQuorum } from './redis-quorum.ts'
