/**
 * Locks shared with ShedLock, whose record is a key with the holder and an expiry. The lock is taken as long as that key exists; what ShedLock doesn't know, such
 * as ticks and tokens, stands in our record. A key that expires in a millisecond is there through all of it, so shared leases end with a millisecond.
 */
export const SHEDLOCK = /* lua */ `
local function lease_end(time)
  return time > now and math.ceil(time / 1000) * 1000 or time
end

local ESCAPES = { ['%'] = '%25', [' '] = '%20', ['\\n'] = '%0A' }

-- The record as ShedLock's key would have it.
local function seen_with_shedlock(record, key)
  local holder = texts[key]
  if not holder then
    -- Expired, released, or deleted by a ShedLock node without a look at the holder: free, whatever our record says.
    if record and record.lock_until > now then
      set_end(record, now)
    end
    return record
  end
  if record and holder == record.holder then
    return record
  end
  -- It is there through its last millisecond.
  local ttl = redis.call('PTTL', key)
  return {
    lock_until = ttl == -1 and LAST_TIME or now + math.max(ttl, 1) * 1000,
    locked_at = 0,
    fencing_token = record and record.fencing_token or 0,
    tick = record and record.tick or '-',
    last_tick = record and record.last_tick,
    done = record and record.done,
    paused = record and record.paused,
    holder = string.gsub(holder, '[%% \\n]', ESCAPES),
    metadata = '',
    vote = '',
    is_foreign = true,
  }
end

local function tell_shedlock(key, record)
  if record.lock_until <= now then
    redis.call('DEL', key)
    texts[key] = false
  elseif not record.is_foreign then
    redis.call('SET', key, record.holder)
    redis.call('PEXPIREAT', key, digits(record.lock_until / 1000 - 1))
    -- Redis deletes at once what expires within the present millisecond, which may be later by now than the script's time: rather a little late, since our
    -- record has the exact end.
    if record.lock_until - now < 1000000 and redis.call('EXISTS', key) == 0 then
      redis.call('SET', key, record.holder, 'PX', 1)
    end
    texts[key] = record.holder
  end
end
`
