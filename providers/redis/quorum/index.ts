export type { RedisClient, RedisCommands, RedisServer } from '../client.ts'
export type { QuorumServer, RedisQuorumOptions } from './options.ts'
export { redisQuorum } from './redis-quorum.ts'
