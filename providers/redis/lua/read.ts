/*
 * Reads records; also on a replica, since nothing is decided by it.
 *
 *   KEYS      for each name: lock key, state key
 *   answers   now, then for each name the record, or false when there is none
 */
export const READ = /* lua */ `
local now = clock()
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local kind = redis.call('TYPE', lock_key).ok
  -- A list or a hash of somebody else's whose key happens to begin with the prefix is no lock.
  local record = (kind == 'string' or kind == 'none') and load(lock_key, state_key, now)
  answers[index + 1] = record and fields(record) or false
end
return answers
`
