import { type RedisOptions, spaceOf } from './options.ts'

/** What every script and the history need, and what ioredis itself sends. */
const COMMANDS = [
  '+evalsha +eval +script|load +time +mget +mset +exists +type +persist +get +set +del +scan +ping',
  '+hget +hset +hdel +hexists +hgetall +zadd +zrem +zscore +zcard +zrange +zrangebyscore +zrevrangebyscore +zrevrangebylex',
  '+info +select +hello +auth',
]

/**
 * The rules of an ACL user, for `ACL SETUSER`, with which `redis()` can do all that it does with these options. In a cluster its client needs `+cluster|slots` and
 * `+cluster|info` as well.
 *
 * @throws {InvalidOptionError} for a wrong option.
 */
export function redisAccess(options: Pick<RedisOptions, 'prefix' | 'shedlock'> = {}): string {
  const { prefix, isShared } = spaceOf(options)
  const shared = isShared ? [`~:ticklock:{${prefix}*`, `~:ticklock:${prefix}*`] : []
  const keys = [`~${prefix}*`, ...shared, `~:history:{${prefix}}*`]
  return [...keys, ...COMMANDS, ...(isShared ? ['+pttl +pexpireat'] : [])].join(' ')
}
