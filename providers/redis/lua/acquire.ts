/*
 * Takes locks. The same decisions as decideAcquire in src/provider/decide.ts.
 *
 *   KEYS      for each request: lock key, state key
 *   ARGV      for each request: holder, its released marker, lockAtMostFor (ms), tick (ms, or ''), '1' to rerun a crashed tick or '',
 *             maxClockSkew (ms), '=' and the metadata (or '')
 *   answers   now, then for each request { 'granted' | 'held' | 'tick-taken' | 'clock-ahead' | 'paused', record or false }
 */
/** What is asked, why it is refused, and what a grant writes: also what an acquisition on several servers decides by, see ../quorum. */
export const DECIDE_ACQUIRE = /* lua */ `
-- 7, and what a script that goes on with this takes besides.
local FIELDS = #ARGV / (#KEYS / 2)

local function request_at(index)
  local at = (index - 1) * FIELDS
  return {
    holder = ARGV[at + 1],
    released = ARGV[at + 2],
    at_most = tonumber(ARGV[at + 3]) * 1000,
    tick_text = ARGV[at + 4],
    tick = tonumber(ARGV[at + 4]),
    rerun = ARGV[at + 5] == '1',
    skew = tonumber(ARGV[at + 6]) * 1000,
    metadata = ARGV[at + 7] ~= '' and string.sub(ARGV[at + 7], 2),
  }
end

-- Why the request is refused, or nil.
local function refusal(record, request, now, ours)
  if request.tick and request.tick * 1000 > now + request.skew then
    return 'clock-ahead'
  end
  if not record then
    return nil
  end
  if request.tick and record.paused then
    return 'paused'
  end
  local last_tick = record.last_tick and tonumber(record.last_tick)
  if request.tick and last_tick and request.tick <= last_tick then
    -- A lapsed tick that nobody finished may run again if the job wants that; and its own owner, asking again, never got the reply.
    local unfinished = request.tick == last_tick and not record.tick_done and record.lock_until <= now
    if not (unfinished and (request.rerun or ours)) then
      return 'tick-taken'
    end
  end
  -- A late duplicate of an acquisition that was granted and released: nobody waits for its answer.
  if record.locked_by == request.released or record.lock_until > now then
    return 'held'
  end
  return nil
end

-- Answers the record as far as a lease tells of it.
local function grant(lock_key, state_key, record, request, now)
  local granted = {
    locked_by = request.holder,
    locked_at = now,
    lock_until = end_of_ms(now + request.at_most),
    -- The clock keeps tokens growing when the record was lost, the last token when the clock went back.
    fencing_token = math.max((record and record.fencing_token or 0) + 1, now),
    last_tick = record and record.last_tick,
    metadata = request.metadata,
    paused = record and record.paused,
  }
  local written = { 'locked_by', granted.locked_by, 'locked_at', digits(granted.locked_at),
    'lock_until', digits(granted.lock_until), 'fencing_token', digits(granted.fencing_token) }
  local function write(field, value)
    written[#written + 1] = field
    written[#written + 1] = value
  end
  if request.tick then
    granted.last_tick = request.tick_text
    write('last_tick', granted.last_tick)
    write('tick_done', '0')
  end
  if granted.metadata then
    write('metadata', granted.metadata)
  elseif not record or record.has_metadata then
    redis.call('HDEL', state_key, 'metadata')
  end
  redis.call('HSET', state_key, unpack(written))
  put(lock_key, granted, now)
  keep(state_key, granted, now, record)
  return granted
end
`

/** What most asks of a cluster come to costs one command: the state alone settles them. */
export const ACQUIRE = /* lua */ `
${DECIDE_ACQUIRE}
-- Whether the request is refused for its tick whatever the lock key says.
local function is_settled(state, request, now)
  local holder, last_tick, tick_done, paused = state[1], state[5] and tonumber(state[5]), state[6], state[8]
  if not holder or holder == request.holder or paused == '1' then
    return false
  end
  if not request.tick or not last_tick or request.tick * 1000 > now + request.skew then
    return false
  end
  return request.tick < last_tick or request.tick == last_tick and (tick_done == '1' or not request.rerun)
end

-- The outcome, and the record as it is answered.
local function acquire(lock_key, state_key, request, now)
  local state = load_state(state_key)
  if is_settled(state, request, now) then
    return 'tick-taken', state
  end
  local record = judge(record_of(state), lock_key, now)
  local ours = record and record.locked_by == request.holder and not record.foreign
  -- This owner was granted the lock before and the reply was lost: the same grant once more.
  if ours and record.lock_until > now then
    return 'granted', fields(record)
  end
  local reason = refusal(record, request, now, ours)
  if reason then
    return reason, record and fields(record) or false
  end
  return 'granted', fields(grant(lock_key, state_key, record, request, now))
end

require_master(KEYS[2])
local now = clock()
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  answers[index + 1] = { acquire(KEYS[index * 2 - 1], KEYS[index * 2], request_at(index), now) }
end
return answers
`
