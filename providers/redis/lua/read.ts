/*
 * Reads records; also on a replica, since nothing is decided by it.
 *
 *   KEYS      for each name: lock key, state key
 *   answers   now, then for each name the record, or false when there is none
 */
export const READ = /* lua */ `
local now = clock()
return for_each(now, function(lock_key, state_key)
  local kind = redis.call('TYPE', lock_key).ok
  -- A list or a hash of somebody else's whose key happens to begin with the prefix is no lock.
  local record = (kind == 'string' or kind == 'none') and load(lock_key, state_key, now)
  return record and fields(record) or false
end)
`
