/*
 * Drops records that have been free, and whose last tick has been past, for so long. It looks and deletes in one script: a lock
 * granted after its name was listed stays.
 *
 *   KEYS      for each name: lock key, state key
 *   ARGV      for each name: how long (ms)
 *   answers   now, then for each name 1 when it was dropped, else 0
 */
export const PRUNE = /* lua */ `
require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local before = now - tonumber(told(index, 1)) * 1000
  local record = load(lock_key, state_key, now)
  local unused = record and not record.paused and math.max(record.lock_until, tonumber(record.last_tick or 0) * 1000) < before
  if unused then
    redis.call('DEL', lock_key, state_key)
  end
  return unused and 1 or 0
end)
`
