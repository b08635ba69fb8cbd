/*
 * What lua/state.ts is for one server, with votes beside it: a hash, whose fields the scripts of the quorum change one by one.
 *
 *   locked_by, locked_at, lock_until, fencing_token, last_tick, tick_done, metadata    as there; what there is none of is missing
 *   pending      '1' from a server's own grant until the grant is confirmed: until then it is a vote, and nobody's lease
 *   ballot       of the acquisition that the vote was given to, so that a vote taken back late takes back no other
 *   prior_tick   what last_tick and tick_done were before the vote
 *   prior_done
 */
export const STATE_WITH_VOTES = /* lua */ `
-- No field has an empty name: changes nothing, and fails where no master decides.
local function require_master(state_key)
  redis.call('HDEL', state_key, '')
end

local function load_state(state_key)
  return redis.call('HMGET', state_key,
    'locked_by', 'locked_at', 'lock_until', 'fencing_token', 'last_tick', 'tick_done', 'metadata', 'paused')
end

-- Remembers a name that took ticks for ever (until pruned); others leave Redis a day after their last lease.
local function keep(state_key, record, now)
  if record.last_tick then
    redis.call('PERSIST', state_key)
  elseif record.lock_until < FOREVER then
    redis.call('PEXPIRE', state_key, digits(math.ceil((record.lock_until - now) / 1000) + DAY_MS))
  end
end

-- Sets a field, or takes it away.
local function set(state_key, field, value)
  if value then
    redis.call('HSET', state_key, field, value)
  else
    redis.call('HDEL', state_key, field)
  end
end

local function save(state_key, record, now)
  redis.call('HSET', state_key, 'locked_by', record.locked_by, 'locked_at', digits(record.locked_at),
    'lock_until', digits(record.lock_until), 'fencing_token', digits(record.fencing_token), 'tick_done', record.tick_done and '1' or '0')
  set(state_key, 'last_tick', record.last_tick)
  set(state_key, 'metadata', record.metadata)
  keep(state_key, record, now)
end

-- Each is written at once.
local function write_states() end
`
