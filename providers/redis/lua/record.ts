/*
 * What every script begins with: how a lock lies in Redis, and how it is read and written.
 *
 * In the scripts' own descriptions "ARGV" are the fields that `told` answers.
 *
 * The scripts stand as text in modules, not in .lua files, so that a service bundled into one file (esbuild, webpack) still has
 * them. Each is sent with what stands here before it.
 *
 *   lock key    string   the holder, with PX. Its existence decides whether the lock is taken; ShedLock knows nothing else.
 *   state key   hash     locked_by      our last holder, or its released marker
 *                        locked_at      when it was granted
 *                        lock_until     until when
 *                        fencing_token  of the last grant
 *                        last_tick      the last tick granted, in ms; missing when none ever was
 *                        tick_done      '1' when its holder released
 *                        metadata       missing when none was given
 *                        paused         '1' when ticks are refused, else missing
 *
 * Times are whole microseconds since the epoch: exact as doubles up to the year 2255, where fractions of milliseconds are not.
 */
export const RECORD = /* lua */ `
-- What the requests are told besides their keys. ARGV[1] has a letter for each field: '1' when it is the same for all requests and comes once, or '-'.
-- What comes once comes first, in order; the other fields follow, for each request.
local FIELDS = #(ARGV[1] or '')
local same_for_all, place, own_fields, before_own = {}, {}, 0, 1
for field = 1, FIELDS do
  if string.sub(ARGV[1], field, field) == '1' then
    before_own = before_own + 1
    same_for_all[field] = ARGV[before_own]
  else
    own_fields = own_fields + 1
    place[field] = own_fields
  end
end

local function told(index, field)
  return same_for_all[field] or ARGV[before_own + (index - 1) * own_fields + place[field]]
end

-- A thousand years and more from now, yet still a date in JavaScript: the end of a key that has no expiry.
local FOREVER = 8640000000000000000
local DAY_MS = 24 * 60 * 60 * 1000

-- Numbers are written out in full: tostring() would round a time in microseconds to 14 digits. Most of those of a batch are the same few times, and
-- writing one out takes longer than most commands.
local written_out = {}
local function digits(number)
  local text = written_out[number]
  if not text then
    text = string.format('%.0f', number)
    written_out[number] = text
  end
  return text
end

-- What 'locked_by' says after its holder has released.
local function released_by(holder)
  return holder .. '#released'
end

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The end of the millisecond in which a time lies. Leases end there (and are so up to 1 ms longer than asked for), since
-- keys do: one that has expiry E is there through all of millisecond E.
local function end_of_ms(time)
  return (math.floor(time / 1000) + 1) * 1000
end

-- A script that refuses writes nothing, so a replica would answer it too, from data that may be old. This changes nothing
-- (no field has an empty name), but makes a replica, and a master that lacks min-replicas-to-write, fail at once.
local function require_master(state_key)
  redis.call('HDEL', state_key, '')
end

-- Our state of a name, whatever the lock key does, as 'fields' answers a record. Its first entry is false when there is none.
local function load_state(state_key)
  return redis.call('HMGET', state_key,
    'locked_by', 'locked_at', 'lock_until', 'fencing_token', 'last_tick', 'tick_done', 'metadata', 'paused')
end

local function record_of(state)
  return state[1] and {
    locked_by = state[1],
    locked_at = tonumber(state[2] or 0),
    lock_until = tonumber(state[3] or 0),
    fencing_token = tonumber(state[4] or 0),
    last_tick = state[5],
    tick_done = state[6] == '1',
    metadata = state[7],
    has_metadata = state[7] ~= false,
    paused = state[8] == '1',
    foreign = false,
  } or nil
end

-- What the lock keys hold, once it was looked up for all of a batch: by key, false where there is nothing.
local held_by = {}

-- One command for a batch in place of one for each lock. Keys don't expire while a script runs.
local function look_up_holders()
  if #KEYS == 2 then
    return
  end
  local lock_keys = {}
  for index = 1, #KEYS, 2 do
    -- A name may occur more often than unpack() takes.
    if held_by[KEYS[index]] == nil then
      held_by[KEYS[index]] = false
      lock_keys[#lock_keys + 1] = KEYS[index]
    end
  end
  for index, holder in ipairs(redis.call('MGET', unpack(lock_keys))) do
    held_by[lock_keys[index]] = holder
  end
end

local function holder_at(lock_key, record)
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
    record = record or { fencing_token = 0, last_tick = false, tick_done = false, has_metadata = false, paused = false }
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

-- The record of a name, or nil when there is none.
local function load(lock_key, state_key, now, roughly)
  return judge(record_of(load_state(state_key)), lock_key, now, roughly)
end

-- What is shorter might end while a script runs.
local SHORT = 1000000
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
  if record.lock_until - now < SHORT and redis.call('EXISTS', lock_key) == 0 then
    -- Redis deletes a key at once that is told to expire within the present millisecond, which may be later by now than the script's
    -- time. Rather a little too late: the state has the exact end.
    redis.call('SET', lock_key, record.locked_by, 'PX', '1')
  end
end

local function is_remembered(record)
  return record.last_tick or record.paused
end

-- A name that took ticks is remembered for ever (until pruned), or a late node could take its last tick again; so is a paused one. Others, often made up
-- for one use, leave Redis a day after their last lease. 'before' is the record as it was, if there was one.
local function keep(state_key, record, now, before)
  if is_remembered(record) then
    if before and not is_remembered(before) then
      redis.call('PERSIST', state_key)
    end
  elseif record.lock_until < FOREVER then
    redis.call('PEXPIRE', state_key, digits(math.ceil((record.lock_until - now) / 1000) + DAY_MS))
  end
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
