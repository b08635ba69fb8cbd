/*
 * What is remembered of a name beside its lock key, as one text, so that those of a batch are read by one MGET and written by one MSET: as hashes they
 * would take Redis a command or two for each lock, and most asks of a cluster come to no more than such a read.
 *
 *   state key   string   '<locked_at> <lock_until> <fencing_token> <last_tick> <flags> <length of locked_by>:<locked_by>=<metadata>'
 *
 *     locked_by      our last holder, or its released marker
 *     locked_at      when it was granted
 *     lock_until     until when
 *     fencing_token  of the last grant
 *     last_tick      the last tick granted, in ms; nothing when none ever was
 *     flags          'd' when its holder released (the tick is done), 'p' when ticks are refused (it is paused)
 *     metadata       nothing, and no '=', when none was given
 */
export const STATE = /* lua */ `
-- The texts, by state key: as looked up for all of a batch, and as they are to be written; false where there is none.
local states = {}
local states_are_looked_up = #KEYS == 2
-- What is to be written, by state key: the time after which Redis may forget it, in ms, or false for never.
local to_write = {}

-- A script that refuses writes nothing, so a replica would answer it too, from data that may be old. This changes nothing, but makes a replica, and a
-- master that lacks min-replicas-to-write, fail at once: there is no such key, since lock keys don't begin with a colon, and state keys with another word.
-- It lies in the same slot of a cluster.
local function require_master(state_key)
  redis.call('DEL', ':none:' .. state_key)
end

-- Our state of a name, whatever the lock key does, as 'fields' answers a record. Its first entry is false when there is none.
local function load_state(state_key)
  if not states_are_looked_up then
    states_are_looked_up = true
    look_up(states, 2)
  end
  -- MGET says nothing of a key that is no string, where GET fails.
  local text = states[state_key] or redis.call('GET', state_key)
  if not text then
    return { false }
  end
  local at, lock_until, token, last_tick, flags, length, rest = string.match(text, '^(%d+) (%d+) (%d+) (%S*) (%a*) (%d+):(.*)$')
  if not at then
    error('ERR the key ' .. state_key .. ' holds no state of a lock', 0)
  end
  return {
    string.sub(rest, 1, length),
    at,
    lock_until,
    token,
    last_tick ~= '' and last_tick,
    string.find(flags, 'd', 1, true) and '1' or '0',
    #rest > tonumber(length) and string.sub(rest, length + 2),
    string.find(flags, 'p', 1, true) and '1' or '0',
  }
end

-- A name that took ticks is remembered for ever (until pruned), or a late node could take its last tick again; so is a paused one. Others, often made up
-- for one use, leave Redis a day after their last lease.
local function save(state_key, record, now)
  states[state_key] = digits(record.locked_at) .. ' ' .. digits(record.lock_until) .. ' ' .. digits(record.fencing_token) .. ' '
    .. (record.last_tick or '') .. ' ' .. (record.tick_done and 'd' or '') .. (record.paused and 'p' or '') .. ' '
    .. #record.locked_by .. ':' .. record.locked_by .. (record.metadata and '=' .. record.metadata or '')
  local stays = record.last_tick or record.paused or record.lock_until >= FOREVER
  to_write[state_key] = not stays and digits(math.ceil((record.lock_until - now) / 1000) + DAY_MS)
end

-- Called at the end, also when one of a batch has failed: what was granted before stands, and its owner is granted it again.
local function write_states()
  local keys_and_texts = {}
  for state_key, forgotten_after in pairs(to_write) do
    if forgotten_after then
      redis.call('SET', state_key, states[state_key], 'PX', forgotten_after)
    else
      keys_and_texts[#keys_and_texts + 1] = state_key
      keys_and_texts[#keys_and_texts + 1] = states[state_key]
    end
  end
  if #keys_and_texts > 0 then
    redis.call('MSET', unpack(keys_and_texts))
  end
end
`
