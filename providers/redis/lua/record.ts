/*
 * How a lock lies in Redis, and how it is read and written. Stands after BASICS, and after where the state is kept: STATE, or that of ../quorum.
 *
 *   lock key    string   the holder, with PX. Its existence decides whether the lock is taken; ShedLock knows nothing else.
 *   state key            what is remembered beside it, see state.ts
 */
export const RECORD = /* lua */ `
local function record_of(state)
  return state[1] and {
    locked_by = state[1],
    locked_at = tonumber(state[2] or 0),
    lock_until = tonumber(state[3] or 0),
    fencing_token = tonumber(state[4] or 0),
    last_tick = state[5],
    tick_done = state[6] == '1',
    metadata = state[7],
    paused = state[8] == '1',
    foreign = false,
  } or nil
end

-- What the lock keys hold, once it was looked up for all of a batch: by key, false where there is nothing.
local held_by = {}
local holders_are_looked_up = #KEYS == 2

local function holder_at(lock_key, record)
  if not holders_are_looked_up then
    holders_are_looked_up = true
    look_up(held_by, 1)
  end
  local holder = held_by[lock_key]
  -- MGET says nothing of a key that is no string, where GET fails, and so does 'put'.
  if holder == nil or not holder and not record then
    holder = redis.call('GET', lock_key)
  end
  return holder
end

-- What a name's record is by its state and its lock key, or nil when there is none. 'roughly' leaves out to look whether somebody has changed the
-- key's expiry by hand, where a lease of ours has not ended by either.
local function judge(record, lock_key, now, roughly)
  local holder = holder_at(lock_key, record)
  if not holder then
    -- Lapsed, released, or deleted by hand: free whatever the state says.
    if record then
      record.lock_until = math.min(record.lock_until, now)
    end
    return record
  end
  local ours = record and holder == record.locked_by
  if ours and roughly and record.lock_until > now then
    return record
  end
  local ttl = redis.call('PTTL', lock_key)
  local until_by_key = ttl == -1 and FOREVER or end_of_ms(now + math.max(ttl, 0) * 1000)
  if not ours then
    -- A ShedLock node's, somebody's by hand, or ours without its state (evicted): nobody's lease here, and held.
    record = record or { fencing_token = 0, last_tick = false, tick_done = false, paused = false }
    record.locked_by = holder
    record.locked_at = false
    record.lock_until = until_by_key
    record.metadata = false
    record.foreign = true
  elseif math.abs(until_by_key - record.lock_until) > 1000000 then
    -- The state has the exact end; but who changed the key's expiry by hand is obeyed.
    record.lock_until = until_by_key
  end
  return record
end

-- Whether this holder was the last, and nobody has taken the key past us.
local function is_of(record, holder)
  return record and record.locked_by == holder and not record.foreign
end

-- The record of a name, or nil when there is none.
local function load(lock_key, state_key, now, roughly)
  return judge(record_of(load_state(state_key)), lock_key, now, roughly)
end

-- What is shorter might end while a script runs.
local SHORT = 1000000
-- The holders of such locks, by lock key, and the keys.
local short, short_keys = {}, {}
-- Redis before 6.2 has no such option.
local has_pxat = true

-- Sets the lock key to last until record.lock_until, to the moment: neither may a key go before its lease, or another
-- takes the lock, nor stay after it, or a ShedLock node that saw the end is refused.
local function put(lock_key, record, now)
  held_by[lock_key] = record.locked_by
  if record.lock_until >= FOREVER then
    redis.call('SET', lock_key, record.locked_by)
    return
  end
  local expiry = digits(record.lock_until / 1000 - 1)
  if has_pxat then
    -- With GET it fails where there is a list or a hash of others.
    local answer = redis.pcall('SET', lock_key, record.locked_by, 'GET', 'PXAT', expiry)
    local failed = type(answer) == 'table' and answer.err
    if failed and string.find(failed, 'WRONGTYPE', 1, true) then
      error(failed, 0)
    end
    has_pxat = not failed
  end
  if not has_pxat then
    redis.call('GET', lock_key)
    redis.call('SET', lock_key, record.locked_by)
    redis.call('PEXPIREAT', lock_key, expiry)
  end
  if record.lock_until - now < SHORT then
    if not short[lock_key] then
      short_keys[#short_keys + 1] = lock_key
    end
    short[lock_key] = record.locked_by
  end
end

-- Redis deletes a key at once that is told to expire within the present millisecond, which may be later by now than the script's time. Rather a
-- little too late: the state has the exact end.
local function put_once_more()
  if #short_keys > 0 and redis.call('EXISTS', unpack(short_keys)) < #short_keys then
    for _, lock_key in ipairs(short_keys) do
      if held_by[lock_key] and redis.call('EXISTS', lock_key) == 0 then
        redis.call('SET', lock_key, short[lock_key], 'PX', '1')
      end
    end
  end
end

-- The lock keys to delete, by one command for all.
local freed_keys = {}

local function free(lock_key)
  held_by[lock_key] = false
  freed_keys[#freed_keys + 1] = lock_key
end

local function delete_freed()
  if #freed_keys > 0 then
    redis.call('DEL', unpack(freed_keys))
  end
end

-- Answers now, and what 'decide' answers for each request, by its index. What it has changed is written when all are decided, or one has failed.
local function for_each(now, decide)
  local answers = { digits(now) }
  local decided, failure = pcall(function()
    for index = 1, #KEYS / 2 do
      answers[index + 1] = decide(KEYS[index * 2 - 1], KEYS[index * 2], index)
    end
  end)
  put_once_more()
  delete_freed()
  write_states()
  if not decided then
    -- Some versions hand on a table, others its text.
    return redis.error_reply(type(failure) == 'table' and failure.err or failure)
  end
  return answers
end

-- The record as it is answered: false where there is nothing (nil would end the list).
local function fields(record)
  return {
    record.locked_by,
    record.locked_at and digits(record.locked_at),
    digits(record.lock_until),
    digits(record.fencing_token),
    record.last_tick,
    record.tick_done and 1 or 0,
    record.metadata,
    record.paused and 1 or 0,
  }
end
`
