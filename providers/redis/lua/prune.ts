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
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local before = now - tonumber(told(index, 1)) * 1000
  local record = load(lock_key, state_key, now)
  local unused = record and not record.paused and math.max(record.lock_until, tonumber(record.last_tick or 0) * 1000) < before
  if unused then
    redis.call('DEL', lock_key, state_key)
  end
  answers[index + 1] = unused and 1 or 0
end
return answers
`
