/*
 * Run history, in seven keys of one cluster slot, which are KEYS of each script in this order:
 *
 *   entries   hash   member -> the entry as JSON
 *   changed   zset   member by the time when it was written, ms
 *   time      zset   member by `at`
 *   running   zset   member by `at`, of runs that have not ended
 *   jobs      zset   members in order of their text: those of a job stand together, in order of `at`
 *   last      zset   as jobs, without what was skipped
 *   nodes     hash   label -> the time when it was seen, '|', its state as JSON
 *
 * A member is '<length of the job's name>:<job>:<at, 16 digits>:<id>', see ../history.ts. So an entry leaves all sets also when the hash has lost it.
 */
const KEYS_AND_CLOCK = /* lua */ `
local entries, changed, time, running, jobs, last, nodes = unpack(KEYS)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- JSON and time of writing of each member. One whose entry is gone is left out.
local function found(members)
  local replies = {}
  for _, member in ipairs(members) do
    local entry = redis.call('HGET', entries, member)
    if entry then
      replies[#replies + 1] = entry
      replies[#replies + 1] = redis.call('ZSCORE', changed, member) or '0'
    end
  end
  return replies
end
`

/** ARGV: label and state of a node (or '' twice), then for each entry: member, outcome, at, JSON. */
export const WRITE_HISTORY = /* lua */ `${KEYS_AND_CLOCK}
if ARGV[1] ~= '' then
  redis.call('HSET', nodes, ARGV[1], string.format('%.0f|', now) .. ARGV[2])
end
for at = 3, #ARGV, 4 do
  local member, outcome, score, json = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if outcome ~= 'running' or redis.call('HEXISTS', entries, member) == 0 then
    redis.call('HSET', entries, member, json)
    redis.call('ZADD', changed, string.format('%.0f', now), member)
    redis.call('ZADD', time, score, member)
    redis.call('ZADD', jobs, 0, member)
    if outcome ~= 'skipped' then
      redis.call('ZADD', last, 0, member)
    end
    if outcome == 'running' then
      redis.call('ZADD', running, score, member)
    else
      redis.call('ZREM', running, member)
    end
  end
end
return 1
`

/**
 * ARGV: the place of a zset among KEYS, how it is ordered ('SCORE' or 'LEX'), greatest and least bound, how many to leave out, how many. Returns how many members
 * there were, then JSON and time of writing of each, the greatest first.
 */
export const READ_HISTORY = /* lua */ `${KEYS_AND_CLOCK}
local members = redis.call('ZREVRANGEBY' .. ARGV[2], KEYS[tonumber(ARGV[1])], ARGV[3], ARGV[4], 'LIMIT', ARGV[5], ARGV[6])
return { #members, found(members) }
`

/** ARGV: how many of each, then for each job greatest and least bound. Returns JSON and time of writing of each. */
export const LATEST_HISTORY = /* lua */ `${KEYS_AND_CLOCK}
local members = {}
for at = 2, #ARGV, 2 do
  for _, member in ipairs(redis.call('ZREVRANGEBYLEX', last, ARGV[at], ARGV[at + 1], 'LIMIT', 0, ARGV[1])) do
    members[#members + 1] = member
  end
end
return found(members)
`

/** Returns label and state of each node. */
export const HISTORY_NODES = /* lua */ `
return redis.call('HGETALL', KEYS[7])
`

/** ARGV: age in ms, how many to keep, how many to drop at most. Returns how many were dropped: call again while it is that many. */
export const TRIM_HISTORY = /* lua */ `${KEYS_AND_CLOCK}
local before, most, limit = now - ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local members = redis.call('ZRANGEBYSCORE', changed, '-inf', string.format('(%.0f', before), 'LIMIT', 0, limit)
local over = math.min(limit, redis.call('ZCARD', changed) - most)
if over > #members then
  members = redis.call('ZRANGE', changed, 0, over - 1)
end
if #members > 0 then
  redis.call('HDEL', entries, unpack(members))
  for _, set in ipairs({ changed, time, running, jobs, last }) do
    redis.call('ZREM', set, unpack(members))
  end
end
local states = redis.call('HGETALL', nodes)
for index = 1, #states, 2 do
  local seen_at = tonumber(string.match(states[index + 1], '^(%d+)|'))
  if not seen_at or seen_at < before then
    redis.call('HDEL', nodes, states[index])
  end
end
return #members
`
