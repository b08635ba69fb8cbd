/*
 * Run history. All its keys begin with one text, `base`, whose hash tag puts them into one cluster slot:
 *
 *   entries      hash   id -> the entry as JSON
 *   changed      zset   id by the time when it was written, ms
 *   time         zset   id by `at`
 *   running      zset   id by `at`, of runs that have not ended
 *   job:<job>    zset   id by `at`
 *   last:<job>   zset   id by `at`, without what was skipped
 *   nodes        hash   label -> the time when it was seen, '|', its state as JSON
 *
 * KEYS[1] is base .. 'entries' in every script, ARGV[1] is base.
 */

/** ARGV from 2 on: label and state of a node (or '' twice), then for each entry: id, job, outcome, at, JSON. */
export const WRITE_HISTORY = /* lua */ `
local base = ARGV[1]
local now = digits(math.floor(clock() / 1000))
if ARGV[2] ~= '' then
  redis.call('HSET', base .. 'nodes', ARGV[2], now .. '|' .. ARGV[3])
end
for at = 4, #ARGV, 5 do
  local id, job, outcome, score, json = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local known = redis.call('HEXISTS', KEYS[1], id) == 1
  if not known or outcome ~= 'running' then
    redis.call('HSET', KEYS[1], id, json)
    redis.call('ZADD', base .. 'changed', now, id)
    redis.call('ZADD', base .. 'time', score, id)
    redis.call('ZADD', base .. 'job:' .. job, score, id)
    if outcome ~= 'skipped' then
      redis.call('ZADD', base .. 'last:' .. job, score, id)
    end
    if outcome == 'running' then
      redis.call('ZADD', base .. 'running', score, id)
    else
      redis.call('ZREM', base .. 'running', id)
    end
  end
end
return 1
`

/** ARGV from 2 on: the zset's name, least and greatest score, how many to leave out, how many. Answers JSON and time of writing of each, greatest score first. */
export const READ_HISTORY = /* lua */ `
local base = ARGV[1]
local ids = redis.call('ZREVRANGEBYSCORE', base .. ARGV[2], ARGV[4], ARGV[3], 'LIMIT', ARGV[5], ARGV[6])
local answers = {}
for index, id in ipairs(ids) do
  answers[index * 2 - 1] = redis.call('HGET', KEYS[1], id)
  answers[index * 2] = redis.call('ZSCORE', base .. 'changed', id)
end
return answers
`

/** ARGV from 2 on: how many of each, then the jobs. Answers as READ_HISTORY does. */
export const LATEST_HISTORY = /* lua */ `
local base = ARGV[1]
local answers = {}
for index = 3, #ARGV do
  for _, id in ipairs(redis.call('ZREVRANGE', base .. 'last:' .. ARGV[index], 0, ARGV[2] - 1)) do
    answers[#answers + 1] = redis.call('HGET', KEYS[1], id)
    answers[#answers + 1] = redis.call('ZSCORE', base .. 'changed', id)
  end
end
return answers
`

/** Answers label and state of each node. */
export const HISTORY_NODES = /* lua */ `
return redis.call('HGETALL', ARGV[1] .. 'nodes')
`

/** ARGV from 2 on: age in ms, how many to keep, how many to drop at most. Answers how many were dropped: call again while it is that many. */
export const TRIM_HISTORY = /* lua */ `
local base, age, most, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local before = math.floor(clock() / 1000) - age
local changed = base .. 'changed'
local ids = redis.call('ZRANGEBYSCORE', changed, '-inf', '(' .. digits(before), 'LIMIT', 0, limit)
local over = math.min(limit, redis.call('ZCARD', changed) - most)
if over > #ids then
  ids = redis.call('ZRANGE', changed, 0, over - 1)
end
for _, id in ipairs(ids) do
  local job = cjson.decode(redis.call('HGET', KEYS[1], id)).job
  redis.call('HDEL', KEYS[1], id)
  for _, set in ipairs({ 'changed', 'time', 'running', 'job:' .. job, 'last:' .. job }) do
    redis.call('ZREM', base .. set, id)
  end
end
local nodes = redis.call('HGETALL', base .. 'nodes')
for index = 1, #nodes, 2 do
  if tonumber(string.match(nodes[index + 1], '^%d+')) < before then
    redis.call('HDEL', base .. 'nodes', nodes[index])
  end
end
return #ids
`
