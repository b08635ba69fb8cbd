/*
 * Takes locks. The same decisions as decideAcquire in src/provider/decide.ts.
 *
 *   KEYS      for each request: lock key, state key
 *   ARGV      for each request: holder, lockAtMostFor (ms), tick (ms, or ''), '1' to rerun a crashed tick or '',
 *             maxClockSkew (ms), '=' and the metadata (or '')
 *   answers   now, then for each request a lease as one text, or { 'held' | 'tick-taken' | 'clock-ahead' | 'paused', record or false }
 */
/** What is asked, why it is refused, and what a grant writes: also what an acquisition on several servers decides by, see ../quorum. */
export const DECIDE_ACQUIRE = /* lua */ `
-- One table for all requests, one after another, in which what is the same for all is set once.
local request = {}
local only_holders_differ = own_fields == 0 or own_fields == 1 and not same_for_all[1]

local function request_at(index)
  request.holder = told(index, 1)
  if index == 1 or not only_holders_differ then
    local tick, metadata = told(index, 3), told(index, 6)
    request.at_most = tonumber(told(index, 2)) * 1000
    request.tick_text = tick
    request.tick = tonumber(tick)
    request.rerun = told(index, 4) == '1'
    request.skew = tonumber(told(index, 5)) * 1000
    request.metadata = metadata ~= '' and string.sub(metadata, 2)
  end
  return request
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
  if record.lock_until > now or record.locked_by == released_by(request.holder) then
    return 'held'
  end
  return nil
end

local function grant(lock_key, state_key, record, request, now)
  local granted = {
    locked_by = request.holder,
    locked_at = now,
    lock_until = end_of_ms(now + request.at_most),
    -- The clock keeps tokens growing when the record was lost, the last token when the clock went back.
    fencing_token = math.max((record and record.fencing_token or 0) + 1, now),
    last_tick = request.tick and request.tick_text or record and record.last_tick,
    tick_done = not request.tick and record and record.tick_done,
    metadata = request.metadata,
    paused = record and record.paused,
  }
  put(lock_key, granted, now)
  save(state_key, granted, now)
  return granted
end
`

/** What most asks of a cluster come to is settled by the state alone, by one command for a batch. */
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

-- When it was granted, until when, and its token: one text, since thousands of them are made and read.
local function lease(record)
  return digits(record.locked_at) .. ' ' .. digits(record.lock_until) .. ' ' .. digits(record.fencing_token)
end

-- The answer to a request.
local function acquire(lock_key, state_key, request, now)
  local state = load_state(state_key)
  if is_settled(state, request, now) then
    return { 'tick-taken', state }
  end
  local record = judge(record_of(state), lock_key, now)
  local ours = is_of(record, request.holder)
  -- This owner was granted the lock before and the reply was lost: the same grant once more.
  if ours and record.lock_until > now then
    return lease(record)
  end
  local reason = refusal(record, request, now, ours)
  if reason then
    return { reason, record and fields(record) or false }
  end
  return lease(grant(lock_key, state_key, record, request, now))
end

require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  return acquire(lock_key, state_key, request_at(index), now)
end)
`
